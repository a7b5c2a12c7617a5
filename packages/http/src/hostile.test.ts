import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { raw, start } from './harness.ts';
import type { Route } from './types.ts';

const seen: string[] = [];
const echo: Route = {
  method: 'POST',
  path: '/a',
  scope: 'run',
  handler: async (context) => {
    seen.push(JSON.stringify((await context.readJson()) ?? null));
    return { kind: 'json', body: {}, headers: { 'x-reflected': context.url.searchParams.get('q') ?? '' } };
  },
};
const read: Route = { ...echo, method: 'GET' };

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/u.exec(answer)?.[1]);

/** Requests whose frames a proxy and we could read differently, each with what must come of it. */
const BROKEN: Readonly<Record<string, (host: string) => string>> = {
  'CL.TE': (host) => `POST /a HTTP/1.1\r\n${host}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
  'TE.TE': (host) =>
    `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
  'unknown encoding': (host) => `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'two lengths': (host) => `POST /a HTTP/1.1\r\n${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  'length with a sign': (host) => `POST /a HTTP/1.1\r\n${host}\r\nContent-Length: +1\r\n\r\na`,
  'blank before the colon': (host) => `POST /a HTTP/1.1\r\n${host}\r\nContent-Length : 1\r\n\r\na`,
  'folded header': (host) => `GET /a HTTP/1.1\r\n${host}\r\nX: a\r\n b\r\n\r\n`,
  'no host': () => 'GET /a HTTP/1.1\r\n\r\n',
  'two hosts': (host) => `GET /a HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`,
  'LF in a chunk extension': (host) =>
    `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nz\r\n0\r\n\r\n`,
  'endless chunk size': (host) =>
    `POST /a HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nz\r\n0\r\n\r\n`,
  'CR in a header': (host) => `GET /a HTTP/1.1\r\n${host}\r\nX: a\rb\r\n\r\n`,
  'NUL in a header': (host) => `GET /a HTTP/1.1\r\n${host}\r\nX: a\0b\r\n\r\n`,
  'foreign absolute form': (host) => `GET http://evil/a HTTP/1.1\r\n${host}\r\n\r\n`,
  'chunks in HTTP/1.0': (host) =>
    `POST /a HTTP/1.0\r\n${host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'header of 17 KB': (host) => `GET /a HTTP/1.1\r\n${host}\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
  'method of nonsense': (host) => `GE\u0001T /a HTTP/1.1\r\n${host}\r\n\r\n`,
};

describe('[H8] bad framing', () => {
  it.each(Object.entries(BROKEN))('%s never reaches a handler and closes the connection', async (_name, build) => {
    await using running = await start([echo, read]);
    seen.length = 0;
    const host = `Host: localhost:${running.port}\r\nConnection: close`;
    const answer = await raw(running.port, build(host));
    expect([400, 403, 431]).toContain(statusOf(answer));
    expect(answer.match(/HTTP\/1\.1 \d{3}/gu)?.length).toBe(1);
    expect(seen).toEqual([]);
  });

  it('is known in seventeen kinds', () => {
    expect(Object.keys(BROKEN)).toHaveLength(17);
  });

  it('no line break gets from a query into a header', async () => {
    await using running = await start([read]);
    const response = await fetch(`${running.url}/a?q=x%0d%0aSet-Cookie:%20evil`);
    expect(response.status).toBe(500);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toContain('INTERNAL_ERROR');
  });
});

const BODIES = ['{"__proto__":{}}', '{"toString":1}', '['.repeat(100), '{"a":'];
/** Without the names that every object inherits: where prototypes are frozen, a plain object cannot be given one. */
const json = fc
  .object({ key: fc.string().filter((name) => !(name in Object.prototype)), maxDepth: 4 })
  .map((value) => JSON.stringify(value));

const tokens = { user: ['user-token'], admin: ['admin-token'] };

describe('[H3] every route, by whom', () => {
  it('says 401 or 403 before any work', async () => {
    let worked = 0;
    const handler: Route['handler'] = () => {
      worked += 1;
      return { kind: 'json', body: {} };
    };
    const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
    const scopes = ['open', 'read', 'run', 'admin'] as const;
    const routes = scopes.flatMap((scope) =>
      methods.map((method): Route => ({ method, path: `/${scope}`, scope, handler })),
    );
    await using running = await start(routes, { tokens });
    const expected: Record<string, Record<(typeof scopes)[number], number>> = {
      none: { open: 200, read: 401, run: 401, admin: 401 },
      'user-token': { open: 200, read: 200, run: 200, admin: 403 },
      'admin-token': { open: 200, read: 200, run: 200, admin: 200 },
      wrong: { open: 401, read: 401, run: 401, admin: 401 },
    };
    for (const [who, byScope] of Object.entries(expected)) {
      for (const { method, path, scope } of routes) {
        const before = worked;
        const headers = who === 'none' ? {} : { authorization: `Bearer ${who}` };
        const { status } = await fetch(running.url + path, { method, headers });
        // After five wrong tokens they are not looked at any more.
        const wanted = who === 'wrong' ? [401, 429] : [byScope[scope as 'open']];
        expect(wanted, `${who} ${method} ${path}`).toContain(status);
        expect(worked - before).toBe(status === 200 ? 1 : 0);
      }
    }
  });
});

describe('[H14] [H15] answers', () => {
  it('carry the security headers, a request id and nothing internal, whatever is asked', async () => {
    const secret = '/srv/secret/place';
    const failing: Route = {
      method: 'GET',
      path: '/fail',
      scope: 'read',
      handler: () => {
        throw new Error(`cannot open ${secret}`);
      },
    };
    await using running = await start([echo, read, failing], { tokens: { user: [], admin: ['admin-token'] } });
    const target = fc.oneof(
      fc.constantFrom('/a', '/fail', '/', '/..%2f..%2fetc/passwd', '/a/%00', '/%ff', '//a', '/a?q=%0a'),
      fc.webPath().map((path) => (path.startsWith('/') ? path : `/${path}`)),
    );
    const asked = fc.record({
      path: target,
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
      type: fc.constantFrom(
        'application/json',
        'text/plain',
        'application/json; charset=latin1',
        'multipart/form-data',
      ),
      body: fc.oneof(json, fc.string(), fc.constantFrom(...BODIES)),
      headers: fc.constantFrom(
        {},
        { authorization: 'Bearer x' },
        { authorization: 'Basic eA==' },
        { 'api-version': '9' },
      ),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ path, method, type, body, headers }) => {
        const response = await fetch(running.url + path, {
          method,
          headers: { 'content-type': type, ...headers },
          ...(method === 'GET' ? {} : { body }),
        });
        const text = await response.text();
        expect(response.headers.get('x-content-type-options')).toBe('nosniff');
        expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
        expect(response.headers.get('x-xss-protection')).toBeNull();
        expect(response.headers.get('cache-control')).toBe('no-store');
        const failed = response.status >= 400;
        expect(text.includes(`"requestId":"${response.headers.get('x-request-id')}"`)).toBe(failed);
        expect(failed && /secret|node:|\.ts|at \w+ \(/u.test(text)).toBe(false);
        const mayFail = path === '/fail' || path.includes('%0a');
        expect(response.status).toBeLessThan(mayFail ? 501 : 500);
      }),
      { numRuns: 300 },
    );
  });
});
