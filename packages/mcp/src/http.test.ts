import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { codeOf, type McpToolResult } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { openHttpServer } from './http.ts';
import type { Lease } from './lease.ts';
import { createPool } from './pool.ts';
import type { RemoteTarget } from './target.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Rpc {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly text?: string } };
}

/** A server of 2025-11-25 with sessions, written by hand so that it can forget them. */
interface Legacy {
  readonly url: string;
  readonly seen: { readonly method: string; readonly session: string | undefined; readonly auth: string | undefined }[];
  readonly executed: string[];
  /** Forgets every session, as a restart does. */
  forget(): void;
  /** Ends it, and starts it again on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const TOOLS = ['add', 'read'].map((name) => ({
  name,
  description: name,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: name === 'read' },
}));

const serveLegacy = async (
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
  closing.push(stop);
  return { url: `http://127.0.0.1:${port}/mcp`, seen, executed, forget: () => sessions.clear(), stop, start };
};

const targetOf = (url: string, more: Partial<RemoteTarget> = {}): RemoteTarget => ({
  transport: 'http',
  id: 'far',
  url,
  headers: {},
  allowNetworks: ['loopback'],
  ...more,
});
const deps = { env: {}, clock: systemClock, log: () => undefined };

const lease = async (target: RemoteTarget): Promise<Lease> => {
  const pool = createPool({
    ...deps,
    random: () => 0,
    servers: { find: async () => ({ target, idleMs: 0 }), pins: () => undefined, pin: () => undefined },
  });
  closing.push(() => pool.close());
  return pool.open([{ id: 'far' }]);
};
const call = (held: Lease, tool: string): Promise<McpToolResult> =>
  held.call(held.tool(`far:${tool}`), {}, { signal: new AbortController().signal, idempotencyKey: tool });
const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );

describe('[E5.http] Streamable HTTP of before 2026-07-28', () => {
  test('is asked server/discover first, then initialized; headers of the entry go along; the session is ended at close', async () => {
    const server = await serveLegacy();
    const connection = await openHttpServer(targetOf(server.url, { headers: { authorization: 'Bearer x' } }), deps);
    expect([connection.era, connection.protocolVersion, connection.serverInfo?.name]).toEqual([
      'legacy',
      '2025-11-25',
      'hand-made',
    ]);
    expect(connection.tools().map(({ name }) => name)).toEqual(['add', 'read']);
    await connection.ping(1000);
    await connection.close();
    expect(server.seen.map(({ method }) => method)).toEqual(
      expect.arrayContaining(['server/discover', 'initialize', 'tools/list', 'ping', 'DELETE']),
    );
    expect(server.seen[0]?.method).toBe('server/discover');
    expect(server.seen.every(({ auth }) => auth === 'Bearer x')).toBe(true);
  });

  test.each([
    [404, { code: -32_001, message: 'Session not found' }],
    [400, { code: -32_000, message: 'Bad Request: No valid session ID provided' }],
    [200, { code: -32_001, message: 'Session not found' }],
  ])(
    'a session that the server forgot (%i %j) is rebuilt and the call is made once, read-only or not',
    async (status, error) => {
      const server = await serveLegacy(() => false, { status, error });
      const held = await lease(targetOf(server.url));
      await call(held, 'add');
      server.forget();
      expect((await call(held, 'add')).content[0]).toEqual({ type: 'text', text: 'add done' });
      expect(server.executed).toEqual(['add', 'add']);
      const sessions = server.seen.filter(({ method }) => method === 'tools/call').map(({ session }) => session);
      expect([sessions.length, new Set(sessions).size]).toEqual([3, 2]);
    },
  );

  test('a server that was started again is found again; while it is away calls fail and say so', async () => {
    const server = await serveLegacy();
    const held = await lease(targetOf(server.url));
    await server.stop();
    expect(await codeFrom(call(held, 'add'))).toBe('MCP_CONNECTION_FAILED');
    await server.start();
    expect((await call(held, 'add')).isError).toBe(false);
    expect(server.executed).toEqual(['add']);
  });

  test('a call whose answer was lost is repeated only where its tool is read-only', async () => {
    let lost = 0;
    const server = await serveLegacy(() => (lost += 1) % 2 === 1);
    const held = await lease(targetOf(server.url));
    expect((await call(held, 'read')).isError).toBe(false);
    expect(server.executed).toEqual(['read', 'read']);
    expect(await codeFrom(call(held, 'add'))).toBe('MCP_CONNECTION_FAILED');
    expect(server.executed).toEqual(['read', 'read', 'add']);
  });

  test('the era is asked once and then known', async () => {
    const server = await serveLegacy();
    const held = await lease(targetOf(server.url));
    server.forget();
    await call(held, 'add');
    expect(server.seen.filter(({ method }) => method === 'initialize')).toHaveLength(2);
    expect(server.seen.filter(({ method }) => method === 'server/discover')).toHaveLength(1);
  });
});

describe('[E13] an entry reaches only what it may', () => {
  test('loopback is refused unless the entry allows it', async () => {
    const server = await serveLegacy();
    expect(await codeFrom(openHttpServer(targetOf(server.url, { allowNetworks: [] }), deps))).toBe(
      'MCP_ADDRESS_REFUSED',
    );
    expect(server.seen).toEqual([]);
  });

  test('a redirect to another place is not followed', async () => {
    const inner = await serveLegacy();
    const outer = createServer((_request, response) => {
      response.writeHead(307, { location: inner.url.replace('127.0.0.1', '127.0.0.2') }).end();
    });
    await new Promise<void>((resolve) => {
      outer.listen(0, '127.0.0.1', resolve);
    });
    closing.push(() => void outer.close());
    const address = outer.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await codeFrom(openHttpServer(targetOf(`http://127.0.0.1:${port}/mcp`), deps))).toBe(
      'MCP_CONNECTION_FAILED',
    );
    expect(inner.seen).toEqual([]);
  });
});

test('a server that is not there is MCP_CONNECTION_FAILED, in words', async () => {
  const opening = openHttpServer(targetOf('http://127.0.0.1:1/mcp'), deps);
  await expect(opening).rejects.toThrow(/"far" did not answer as an MCP server: .*ECONNREFUSED/u);
});

test('one that wants a token says so', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(openHttpServer(targetOf(`http://127.0.0.1:${port}/mcp`), deps)).rejects.toThrow(
    /HTTP 401|authorization/u,
  );
});
