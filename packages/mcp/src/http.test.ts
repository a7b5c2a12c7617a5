import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { call, closeAll, codeFrom, deps, later, lease, serveLegacy, targetOf } from './http.fake.ts';
import { openHttpServer } from './http.ts';

afterEach(closeAll);

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
    later(() => void outer.close());
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
  later(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(openHttpServer(targetOf(`http://127.0.0.1:${port}/mcp`), deps)).rejects.toThrow(
    /HTTP 401|authorization/u,
  );
});
