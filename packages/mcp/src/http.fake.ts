import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { codeOf, type McpToolResult } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import type { Lease } from './lease.ts';
import { createPool, type McpPool } from './pool.ts';
import type { RemoteTarget } from './target.ts';

const closing: (() => Promise<void> | void)[] = [];

/** Closes whatever a test opened, the last first. */
export const closeAll = async (): Promise<void> => {
  for (const close of closing.splice(0).reverse()) await close();
};
/** Closes it after the test. */
export const later = (close: () => Promise<void> | void): void => void closing.push(close);

export interface Rpc {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly text?: string } };
}

/** A server of 2025-11-25 with sessions, written by hand so that it can forget them. */
export interface Legacy {
  readonly url: string;
  readonly seen: { readonly method: string; readonly session: string | undefined; readonly auth: string | undefined }[];
  readonly executed: string[];
  /** Forgets every session, as a restart does. */
  forget(): void;
  /** Ends it, and starts it again on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const TOOLS = ['add', 'read'].map((name) => ({
  name,
  description: name,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: name === 'read' },
}));

export const serveLegacy = async (
  drop: (rpc: Rpc) => boolean = () => false,
  /** How it says that it does not know a session. */
  unknown: { readonly status: number; readonly error: object } = {
    status: 404,
    error: { code: -32_001, message: 'Session not found' },
  },
): Promise<Legacy> => {
  const seen: Legacy['seen'] = [];
  const executed: string[] = [];
  let sessions = new Set<string>();
  let port = 0;
  let server: Server | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = request.headers['mcp-session-id'];
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const rpc: Rpc = text === '' ? {} : (JSON.parse(text) as Rpc);
    const method = rpc.method ?? request.method ?? '';
    seen.push({
      method,
      session: typeof session === 'string' ? session : undefined,
      auth: request.headers.authorization,
    });
    const json = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
    const ok = (result: unknown, headers: Record<string, string> = {}): void =>
      json(200, { jsonrpc: '2.0', id: rpc.id, result }, headers);
    if (request.method === 'GET') return void response.writeHead(405).end();
    if (request.method === 'DELETE') {
      sessions.delete(String(session));
      return void response.writeHead(200).end();
    }
    if (method === 'initialize') {
      const id = `session-${sessions.size + seen.length}`;
      sessions.add(id);
      return ok(
        {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'hand-made', version: '1' },
        },
        { 'mcp-session-id': id },
      );
    }
    if (method === 'server/discover')
      return json(400, { jsonrpc: '2.0', id: rpc.id, error: { code: -32_601, message: 'Method not found' } });
    if (typeof session !== 'string' || !sessions.has(session))
      return json(unknown.status, { jsonrpc: '2.0', id: rpc.id ?? null, error: unknown.error });
    if (rpc.id === undefined) return void response.writeHead(202).end();
    if (method === 'tools/list') return ok({ tools: TOOLS });
    if (method === 'ping') return ok({});
    if (method === 'tools/call') {
      executed.push(rpc.params?.name ?? '');
      if (drop(rpc)) return void request.socket.destroy();
      return ok({ content: [{ type: 'text', text: `${rpc.params?.name ?? ''} done` }] });
    }
    return json(200, { jsonrpc: '2.0', id: rpc.id, error: { code: -32_601, message: 'Method not found' } });
  };
  const start = async (): Promise<void> => {
    sessions = new Set();
    const made = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
    await new Promise<void>((resolve) => {
      made.listen(port, '127.0.0.1', resolve);
    });
    const address = made.address();
    port = typeof address === 'object' && address !== null ? address.port : port;
    server = made;
  };
  const stop = async (): Promise<void> => {
    server?.closeAllConnections();
    await new Promise<void>((resolve) => {
      server?.close(() => resolve());
    });
  };
  await start();
  later(stop);
  return { url: `http://127.0.0.1:${port}/mcp`, seen, executed, forget: () => sessions.clear(), stop, start };
};

export const targetOf = (url: string, more: Partial<RemoteTarget> = {}): RemoteTarget => ({
  transport: 'http',
  id: 'far',
  url,
  headers: {},
  allowNetworks: ['loopback'],
  ...more,
});
export const deps = { env: {}, clock: systemClock, log: () => undefined };

/** A server on a free port; gives its URL. */
export const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  later(() => server.close().closeAllConnections());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/mcp`;
};

export const openPool = (target: RemoteTarget): McpPool => {
  const pool = createPool({
    ...deps,
    random: () => 0,
    servers: { find: async () => ({ target, idleMs: 0 }), pins: () => undefined, pin: () => undefined },
  });
  later(() => pool.close());
  return pool;
};
export const lease = (target: RemoteTarget): Promise<Lease> => openPool(target).open([{ id: 'far' }]);
export const call = (held: Lease, tool: string): Promise<McpToolResult> =>
  held.call(held.tool(`far:${tool}`), {}, { signal: new AbortController().signal, idempotencyKey: tool });
export const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );
