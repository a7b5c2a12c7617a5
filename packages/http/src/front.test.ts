import { CloutError, ERRORS, type ErrorCode, type ErrorEnvelope } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { raw, start } from './harness.ts';
import { createFront } from './front.ts';
import type { Route } from './types.ts';

const echo: Route = {
  method: 'POST',
  path: '/echo',
  scope: 'run',
  handler: async (context) => ({ kind: 'json', body: { got: (await context.readJson()) ?? null } }),
};
const item: Route = {
  method: 'GET',
  path: '/items/:id',
  scope: 'read',
  handler: ({ params, url }) => ({ kind: 'json', body: { id: params['id'], q: url.searchParams.get('q') } }),
};
const failing = (error: Error): Route => ({
  method: 'GET',
  path: '/fail',
  scope: 'read',
  handler: () => Promise.reject(error),
});

const envelopeOf = async (response: Response): Promise<ErrorEnvelope> => (await response.json()) as ErrorEnvelope;

describe('routing', () => {
  it('[T10.method] answers 404 for an unknown path and 405 with Allow for a wrong method', async () => {
    await using running = await start([echo, item]);
    const unknown = await fetch(`${running.url}/nothing`);
    expect([unknown.status, (await envelopeOf(unknown)).error.code]).toEqual([404, 'NOT_FOUND']);
    const wrong = await fetch(`${running.url}/items/1`, { method: 'POST' });
    expect([wrong.status, (await envelopeOf(wrong)).error.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('decodes parameters, keeps the query and answers HEAD without a body', async () => {
    await using running = await start([item]);
    const got = await fetch(`${running.url}/items/a%20b?q=1`);
    expect(await got.json()).toEqual({ id: 'a b', q: '1' });
    const head = await fetch(`${running.url}/items/abc`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '21', '']);
  });

  it('does not take a path with two slashes for a host', async () => {
    await using running = await start([item]);
    const answer = await raw(
      running.port,
      `GET //items/x HTTP/1.1\r\nHost: 127.0.0.1:${running.port}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /u);
  });
});

describe('errors', () => {
  it('[T10.envelope] wraps ours with code, hint, details, requestId and timestamp', async () => {
    await using running = await start([
      failing(new CloutError('CHANGE_LOCKED', 'held', { details: { owner: 'ann' }, retryAfter: 7 })),
    ]);
    const response = await fetch(`${running.url}/fail`);
    const body = await envelopeOf(response);
    expect(response.status).toBe(409);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(body).toMatchObject({
      apiVersion: '1.0.0',
      error: { code: 'CHANGE_LOCKED', message: 'held', details: { owner: 'ann' }, retryAfter: 7 },
    });
    expect(body.error.hint).not.toBe('');
    expect(body.requestId).toBe(response.headers.get('x-request-id'));
    expect(new Date(body.timestamp).toISOString()).toBe(body.timestamp);
  });

  it('[T10.envelope] has one form and its own status for every code of the table', async () => {
    const routes = Object.keys(ERRORS).map((code): Route => ({
      ...failing(new CloutError(code as ErrorCode, 'said', { details: { code } })),
      path: `/${code}`,
    }));
    await using running = await start(routes);
    for (const [code, { status, hint }] of Object.entries(ERRORS)) {
      const response = await fetch(`${running.url}/${code}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/json']);
      expect(await response.json()).toEqual({
        apiVersion: '1.0.0',
        error: { code, message: 'said', hint, details: { code } },
        requestId: response.headers.get('x-request-id'),
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/u) as string,
      });
    }
  });

  it('[T10.unknown] shows nothing of an error that is not ours, and logs it', async () => {
    await using running = await start([failing(new Error('secret /etc/passwd'))]);
    const response = await fetch(`${running.url}/fail`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('secret');
    expect(text).toContain('INTERNAL_ERROR');
    expect(
      running.logs.some(({ level, fields }) => level === 'error' && String(fields['error']).includes('secret')),
    ).toBe(true);
  });

  it('lets a route shape its errors, and falls back where the shape itself fails', async () => {
    await using running = await start([
      {
        ...failing(new CloutError('NOT_FOUND', 'gone')),
        formatError: (status, body) => ({ kind: 'text', status, contentType: 'text/plain', body: body.code }),
      },
      {
        ...failing(new CloutError('NOT_FOUND', 'gone')),
        path: '/worse',
        formatError: () => {
          throw new Error('no');
        },
      },
    ]);
    const shaped = await fetch(`${running.url}/fail`);
    expect([shaped.status, await shaped.text()]).toEqual([404, 'NOT_FOUND']);
    expect((await envelopeOf(await fetch(`${running.url}/worse`))).error.code).toBe('NOT_FOUND');
  });

  it('turns a body that cannot be written as JSON into an error', async () => {
    await using running = await start([{ ...item, handler: () => ({ kind: 'json', body: { big: 1n } }) }]);
    const response = await fetch(`${running.url}/items/1`);
    expect([response.status, (await envelopeOf(response)).error.code]).toEqual([500, 'INTERNAL_ERROR']);
  });
});

describe('headers', () => {
  it('[T13.security-headers, T15.header] stand on answers and errors alike, without unsafe-inline', async () => {
    await using running = await start([item]);
    for (const path of ['/items/1', '/nothing']) {
      const { headers } = await fetch(running.url + path);
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('api-version')).toBe('1.0.0');
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/u);
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('vary')).toBe('Origin');
    }
  });

  it('[H7] [T13.cors] allows exact origins and answers their preflight with 204', async () => {
    await using running = await start([echo], { allowedOrigins: ['http://app.example'] });
    const headers = { origin: 'http://app.example', 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${running.url}/echo`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://app.example');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(
      /Authorization.*Last-Event-ID.*Mcp-Session-Id/u,
    );
    expect(preflight.headers.get('access-control-max-age')).toBe('86400');
    const posted = await fetch(`${running.url}/echo`, {
      method: 'POST',
      headers: { origin: 'http://app.example', 'content-type': 'application/json' },
      body: '1',
    });
    expect([posted.status, posted.headers.get('access-control-allow-origin')]).toEqual([200, 'http://app.example']);
    expect(posted.headers.get('access-control-expose-headers')).toContain('Retry-After');
    const foreign = await fetch(`${running.url}/echo`, {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'http://app.example.evil' },
    });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    for (const { headers: got } of [preflight, posted, foreign]) expect(got.get('vary')).toBe('Origin');
  });
});

describe('binding', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1'])('[H6] [T5.refuse-bind] refuses %s without tokens', async (host) => {
    const front = createFront({
      routes: [],
      tokens: { user: [''], admin: [] },
      allowedOrigins: [],
      clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
      log: () => undefined,
    });
    await expect(front.listen({ port: 0, host })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(front.server.listening).toBe(false);
  });

  it('rejects where the port is taken', async () => {
    await using running = await start([]);
    const second = createFront({
      routes: [],
      tokens: { user: [], admin: [] },
      allowedOrigins: [],
      clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
      log: () => undefined,
    });
    await expect(second.listen({ port: running.port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
