import type { Readable, Writable } from 'node:stream';
import type { Log, Route } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import type { Project } from '@cloutagent/openspec';
import { changesOf, type Archive, type Changes } from './changes.ts';
import { probeRoutes } from './probes.ts';
import { isLocal, seedRoutes } from './seed.ts';

export interface TaskMcpDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Version of the product, shown by the probes and to MCP clients. */
  readonly version: string;
  /** Largest answer of a tool or resource in bytes; 1 MiB by default. */
  readonly maxResponseBytes?: number;
}

export interface TaskMcpOptions extends TaskMcpDeps {
  readonly project: Project;
  /** Archives a change; openspec's own, without a run ledger, by default. */
  readonly archive?: Archive;
}

export interface TaskMcp {
  /** `POST /sse`, `POST /mcp`, `GET /healthz`, `GET /readyz`, `GET /`. */
  readonly routes: readonly Route[];
  /** Serves MCP on these streams until the input ends; resolves then. Nothing but the protocol goes to `stdout`. */
  handleStdio(stdin: Readable, stdout: Writable): Promise<void>;
}

const DEFAULT_RESPONSE_BYTES = 1024 * 1024;

/** The Task MCP server over any set of changes. */
export const taskMcpOver = (changes: Changes, options: TaskMcpDeps): TaskMcp => {
  const { log, clock, version } = options;
  const deps = { changes, log, clock, version, maxResponseBytes: options.maxResponseBytes ?? DEFAULT_RESPONSE_BYTES };
  return {
    routes: [
      ...seedRoutes({
        ...deps,
        jsonRpc: async (context, body) => {
          // The SDK is most of the start-up time; who never speaks MCP never pays for it.
          const { answerJsonRpc } = await import('./mcp/http.ts');
          return answerJsonRpc(deps, { principal: context.principal, local: isLocal(context) }, context, body);
        },
      }),
      ...probeRoutes({ root: changes.root, openspecDir: changes.openspecDir, clock, version }),
    ],
    async handleStdio(stdin, stdout) {
      const { serveOnStdio } = await import('./mcp/stdio.ts');
      await serveOnStdio(deps, stdin, stdout);
    },
  };
};

/** The Task MCP server (seed 002) of one project: seed protocol and MCP over HTTP, MCP over stdio. */
export const createTaskMcp = ({ project, archive, ...deps }: TaskMcpOptions): TaskMcp =>
  taskMcpOver(changesOf(project, archive), deps);
