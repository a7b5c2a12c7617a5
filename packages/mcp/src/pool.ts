import { createHash } from 'node:crypto';
import { CloutError, type McpServerRef, type McpTool } from '@cloutagent/contract';
import { canonicalJson } from '@cloutagent/kit';
import { createEraCache } from './era.ts';
import { createGate } from './gate.ts';
import type { HttpDeps } from './http.ts';
import { Lease, type OpenLeaseOptions } from './lease.ts';
import type { Spill } from './output-cap.ts';
import { SupervisedServer, type ServerReport } from './supervised.ts';
import type { Target } from './target.ts';
import type { ToolPins } from './tool-digest.ts';

/** What the pool knows servers from: the registry, or a list in a test. */
export interface ServerSource {
  /** Errors: MCP_SERVER_NOT_FOUND, MCP_NOT_APPROVED, SECRET_NOT_FOUND, INVALID_INPUT (parameters). */
  find(ref: McpServerRef): Promise<{ readonly target: Target; readonly idleMs: number }>;
  /** The approved tools of a server; undefined where none were ever listed. */
  pins(id: string): ToolPins | undefined;
  /** Keeps the first list of a server. */
  pin(id: string, tools: readonly McpTool[]): void;
}

export interface PoolDeps extends HttpDeps {
  readonly servers: ServerSource;
  readonly random: () => number;
  readonly spill?: Spill;
  /** Milliseconds between two looks at every server; 30,000. */
  readonly healthMs?: number;
  /** How many servers start at once; 4, because a start is mostly CPU. */
  readonly maxStarts?: number;
}

/**
 * Every connection to an MCP server, shared by whoever holds a lease. A connection belongs to a server id and the values of
 * its parameters; one with parameters ends with its last lease, the others when nobody has called them for a while.
 */
export interface McpPool extends AsyncDisposable {
  /** Connects to these servers and freezes their tools; `await using` gives them back. */
  open(refs: readonly McpServerRef[], options?: OpenLeaseOptions): Promise<Lease>;
  /** Every connection that is known, live or not. */
  reports(): readonly ServerReport[];
  /** Ends every connection of a server, whoever holds it: it was removed or changed. */
  drop(id: string): Promise<void>;
  /** Looks at every server at once instead of at the next turn. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const HEALTH_MS = 30_000;
const MAX_STARTS = 4;

export const createPool = (deps: PoolDeps): McpPool => {
  const servers = new Map<string, SupervisedServer>();
  const eras = createEraCache(deps.clock);
  const starts = createGate(deps.maxStarts ?? MAX_STARTS);
  const over = new AbortController();

  const acquire = async (ref: McpServerRef): Promise<SupervisedServer> => {
    const { target, idleMs } = await deps.servers.find(ref);
    // The key holds everything, secrets too, so an entry that was changed is another server; nobody sees more than its hash.
    const key = createHash('sha256')
      .update(canonicalJson({ target, params: ref.params ?? {} }))
      .digest('hex');
    let server = servers.get(key);
    if (server === undefined) {
      const { id } = target;
      server = new SupervisedServer(
        key,
        target,
        { idleMs },
        {
          ...deps,
          eras,
          starts,
          pins: () => deps.servers.pins(id),
          pin: (tools) => deps.servers.pin(id, tools),
        },
      );
      servers.set(key, server);
    }
    server.acquire();
    return server;
  };

  const release = async (server: SupervisedServer, bound: boolean): Promise<void> => {
    server.release();
    if (!bound || server.references > 0) return;
    servers.delete(server.key);
    await server.close();
  };

  const check = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.check()));
  };
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await deps.clock.sleep(deps.healthMs ?? HEALTH_MS, over.signal);
      await check();
    }
  };
  watch().catch((error: unknown) => {
    if (!over.signal.aborted) deps.log('error', 'Health checks of MCP servers have ended', { error });
  });

  const close = async (): Promise<void> => {
    over.abort(new Error('the pool was closed'));
    const all = [...servers.values()];
    servers.clear();
    await Promise.all(all.map((server) => server.close()));
  };

  return {
    open: async (refs, options = {}) => {
      if (over.signal.aborted) throw new CloutError('SHUTTING_DOWN', 'The connections to MCP servers are closed');
      return Lease.open(refs, options, { acquire, release });
    },
    reports: () => [...servers.values()].map((server) => server.report()),
    drop: async (id) => {
      const dropped = [...servers.values()].filter(({ target }) => target.id === id);
      for (const server of dropped) servers.delete(server.key);
      await Promise.all(dropped.map((server) => server.close()));
    },
    check,
    close,
    [Symbol.asyncDispose]: close,
  };
};
