import { createRequire } from 'node:module';
import type { McpServerConfig } from '@cloutagent/contract';
import type { ToolPort } from '@cloutagent/engine';
import type { Clock } from '@cloutagent/kit';
import { openStdioServer, toWireNames, type McpConnection } from '@cloutagent/mcp';
import type { Log } from '../log.ts';

/** The filesystem server that ships with us, rooted in the project. */
const filesystemServer = (root: string): McpServerConfig => ({
  id: 'filesystem',
  command: process.execPath,
  args: [createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js'), root],
  env: {},
});

export interface ToolSource {
  /** The tools of a live connection; reopened where the server has died since. */
  open(): Promise<ToolPort>;
  close(): Promise<void>;
}

/** Owns the connection to the filesystem server: opened by the first use, shared by all runs. */
export const createToolSource = (deps: {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly clock: Clock;
  readonly log: Log;
}): ToolSource => {
  let current: Promise<McpConnection> | undefined;
  const connect = (): Promise<McpConnection> => {
    if (current !== undefined) return current;
    const opening = openStdioServer(filesystemServer(deps.root), {
      cwd: deps.root,
      env: deps.env,
      clock: deps.clock,
      log: deps.log,
    });
    current = opening;
    const forget = (): void => {
      if (current === opening) current = undefined;
    };
    void opening.then((connection) => connection.closed.then(forget), forget);
    return opening;
  };
  return {
    async open() {
      const wireNames = toWireNames((await connect()).tools());
      return {
        tools: () => wireNames,
        call: async (tool, input, options) => (await connect()).call(tool.name, input, options),
      };
    },
    async close() {
      const connection = await current?.catch(() => undefined);
      await connection?.close();
    },
  };
};
