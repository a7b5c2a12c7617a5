import { createRequire } from 'node:module';
import { CloutError } from '@cloutagent/contract';
import type { ToolPort } from '@cloutagent/engine';
import { systemRandom, type Clock } from '@cloutagent/kit';
import { createPool, type Lease, type ServerSource } from '@cloutagent/mcp';
import type { Log } from '../log.ts';

/** The filesystem server that ships with us, rooted in the project. */
const filesystemServer = (root: string): ServerSource => ({
  find: async ({ id }) => {
    if (id !== 'filesystem') throw new CloutError('MCP_SERVER_NOT_FOUND', `There is no MCP server "${id}"`);
    return {
      idleMs: 0,
      target: {
        transport: 'stdio',
        id,
        command: process.execPath,
        args: [createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js'), root],
        env: {},
        cwd: root,
      },
    };
  },
  pins: () => undefined,
  pin: () => undefined,
});

export interface ToolSource {
  /** The tools of live connections; reopened where a server has died since. */
  open(): Promise<ToolPort>;
  close(): Promise<void>;
}

/** Owns the connections to MCP servers: opened by the first use, shared by all runs. */
export const createToolSource = (deps: {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly clock: Clock;
  readonly log: Log;
}): ToolSource => {
  const pool = createPool({ ...deps, random: systemRandom, servers: filesystemServer(deps.root) });
  let current: Promise<Lease> | undefined;
  return {
    open: () => {
      const opening = (current ??= pool.open([{ id: 'filesystem' }]));
      opening.catch(() => {
        if (current === opening) current = undefined;
      });
      return opening;
    },
    close: () => pool.close(),
  };
};
