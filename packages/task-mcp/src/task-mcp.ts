import { relative } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { CloutError } from '@cloutagent/contract';
import type { Log, Route } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import type { Project } from '@cloutagent/openspec';
import { changesOf, type Archive, type Changes } from './changes.ts';
import { exists } from './folder.ts';
import { healthRoutes } from './health.ts';
import { isLocal } from './locality.ts';
import type { ServerFactory } from './mcp/factory.ts';
import type { McpHttp } from './mcp/http.ts';
import { MESSAGES_PATH, mcpRoutes } from './mcp/routes.ts';
import type { TaskSupport } from './mcp/task-desk.ts';
import { probeRoutes } from './probes.ts';
import { seedRoutes } from './seed.ts';

export interface TaskMcpDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Version of the product, shown by the probes and to MCP clients. */
  readonly version: string;
  /** Makes the MCP servers in the place of our own, over the same transports: for suites with tools of their own. */
  readonly factory?: ServerFactory;
  /** Tools of that factory whose calls may become tasks. */
  readonly tasks?: ReadonlyMap<string, TaskSupport>;
  /** Largest answer of a tool or resource in bytes; 1 MiB by default. */
  readonly maxResponseBytes?: number;
}

export interface TaskMcpOptions extends TaskMcpDeps {
  readonly project: Project;
  /** Archives a change; openspec's own, without a run ledger, by default. */
  readonly archive?: Archive;
}

export interface TaskMcp {
  /** Seed protocol and MCP on `/sse`, `/mcp` and `/messages`; probes and figures beside them. */
  readonly routes: readonly Route[];
  /** Serves MCP on these streams until the input ends; resolves then. Nothing but the protocol goes to `stdout`. */
  handleStdio(stdin: Readable, stdout: Writable): Promise<void>;
}

/** A merge of many specifications may wait for a lock or a slow disk; whoever speaks of tasks need not wait for it. */
const PATIENT_TOOLS: ReadonlyMap<string, TaskSupport> = new Map([
  ['change.archive', { patienceMs: 2000 }],
  ['change_archive', { patienceMs: 2000 }],
]);

const DEFAULT_RESPONSE_BYTES = 1024 * 1024;

/** What makes the tools could not be loaded or does not work now (seed 002); nothing was done, so a retry may help. */
const unavailable = (cause: unknown): CloutError =>
  new CloutError('TOOL_REGISTRY_UNAVAILABLE', 'The tools are not available', { cause, retryAfter: 1 });

/** The Task MCP server over any set of changes. */
export const taskMcpOver = (changes: Changes, options: TaskMcpDeps): TaskMcp => {
  const { log, clock, version } = options;
  const deps = { changes, log, clock, version, maxResponseBytes: options.maxResponseBytes ?? DEFAULT_RESPONSE_BYTES };
  const load = async (): Promise<McpHttp> => {
    const [{ openMcpHttp }, { makeMcpServer, serverInfo }, { openQuick }] = await Promise.all([
      import('./mcp/http.ts'),
      import('./mcp/server.ts'),
      import('./mcp/quick.ts'),
    ]);
    const make: ServerFactory =
      options.factory ??
      (({ caller, era, sessionId }) =>
        makeMcpServer(deps, { caller, era, own: sessionId !== undefined, tasks: era === 'modern' }));
    return openMcpHttp({
      factory: (context) => {
        try {
          return make(context);
        } catch (cause) {
          throw unavailable(cause);
        }
      },
      // Servers of another factory have tools of their own.
      ...(options.factory === undefined ? { quick: openQuick(deps, serverInfo(version)) } : {}),
      serverInfo: serverInfo(version),
      clock,
      tasks: options.tasks ?? PATIENT_TOOLS,
      messagesPath: MESSAGES_PATH,
    });
  };
  let opened: Promise<McpHttp> | undefined;
  // The SDK is most of the start-up time; who never speaks MCP never pays for it.
  const open = (): Promise<McpHttp> =>
    (opened ??= load().catch((cause: unknown) => {
      // An update that replaces the files, or too many open ones, must not be remembered as the end.
      opened = undefined;
      throw unavailable(cause);
    }));
  return {
    routes: [
      ...seedRoutes({
        ...deps,
        jsonRpc: async (context, body) =>
          (await open()).post(context, { principal: context.principal, local: isLocal(context) }, body),
      }),
      ...mcpRoutes(open),
      ...probeRoutes({ root: changes.root, openspecDir: changes.openspecDir, clock, version }),
      ...healthRoutes({
        openspecDir: async () => ((await exists(changes.openspecDir)) ? changes.openspecDir : changes.root),
        shownPath: (folder, local) => (local ? folder : relative(changes.root, folder) || '.'),
        isLocal,
        clock,
        version,
      }),
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
