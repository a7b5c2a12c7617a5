import { describe, expect, it } from 'vitest';
import { manualClock, start, until, untilClosed } from './harness.ts';
import type { Route, StreamWriter } from './types.ts';

const LIMIT = { requestTimeoutMs: 30_000 };

/** Works until its signal aborts and tells why, or for ever where it does not listen. */
const slow = (listens: boolean, seen: { reason?: unknown; started: number }): Route => ({
  method: 'GET',
  path: '/slow',
  scope: 'read',
  handler: ({ signal }) =>
    new Promise((_resolve, reject) => {
      seen.started += 1;
      signal.addEventListener('abort', () => {
        seen.reason = signal.reason;
        if (listens) reject(signal.reason as Error);
      });
    }),
});

const stream = (run: (writer: StreamWriter) => Promise<void>, more: object = {}): Route => ({
  method: 'GET',
  path: '/stream',
  scope: 'read',
  handler: () => ({ kind: 'stream', contentType: 'text/event-stream', run, ...more }),
});

describe('[T14.timeout] time limit of a request', () => {
  it.each([true, false])('aborts the work and answers 504, listened to or not (%s)', async (listens) => {
    const clock = manualClock();
    const seen: { reason?: unknown; started: number } = { started: 0 };
    await using running = await start([slow(listens, seen)], { ...LIMIT, clock });
    const answer = fetch(`${running.url}/slow`);
    await until(() => seen.started === 1);
    clock.advance(29_999);
    expect(seen.reason).toBeUndefined();
    clock.advance(1);
    const response = await answer;
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { code: 'REQUEST_TIMEOUT', message: 'Request timed out after 30 seconds' },
    });
    expect(seen.reason).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('counts for each request from its own start, and leaves quick ones alone', async () => {
    const clock = manualClock();
    const seen: { reason?: unknown; started: number } = { started: 0 };
    const quick: Route = { ...slow(true, seen), path: '/quick', handler: () => ({ kind: 'json', body: {} }) };
    await using running = await start([slow(true, seen), quick], { ...LIMIT, clock });
    const first = fetch(`${running.url}/slow`);
    await until(() => seen.started === 1);
    clock.advance(20_000);
    expect((await fetch(`${running.url}/quick`)).status).toBe(200);
    const second = fetch(`${running.url}/slow`);
    await until(() => seen.started === 2);
    clock.advance(10_000);
    expect((await first).status).toBe(504);
    await until(() => clock.sleepers() > 0);
    clock.advance(19_999);
    expect((await fetch(`${running.url}/quick`)).status).toBe(200);
    clock.advance(1);
    expect((await second).status).toBe(504);
  });

  it('ends a timed stream with an error event, and leaves others alone', async () => {
    const clock = manualClock();
    const timed = stream(untilNever, { timed: true });
    const own = {
      ...stream(untilNever, {
        timed: true,
        onFailure: (writer: StreamWriter, error: unknown) =>
          writer.sse({ event: 'own', data: (error as { code: string }).code }),
      }),
      path: '/own',
    };
    const endless = { ...stream(untilClosed), path: '/endless' };
    await using running = await start([timed, own, endless], { ...LIMIT, clock });
    const open = await Promise.all(['/stream', '/own', '/endless'].map((path) => fetch(running.url + path)));
    clock.advance(30_000);
    expect(await open[0]?.text()).toMatch(/^event: error\ndata: .*"code":"REQUEST_TIMEOUT"/u);
    expect(await open[1]?.text()).toBe('event: own\ndata: REQUEST_TIMEOUT\n\n');
    expect(running.front.stats().streams).toBe(1);
    const drained = running.front.drain(10);
    expect(await open[2]?.text()).toContain('event: shutdown');
    clock.advance(10);
    await drained;
  });

  it('leaves no timer behind', async () => {
    const clock = manualClock();
    const seen: { reason?: unknown; started: number } = { started: 0 };
    const running = await start([{ ...slow(true, seen), handler: () => ({ kind: 'json', body: {} }) }], {
      ...LIMIT,
      clock,
    });
    await fetch(`${running.url}/slow`);
    await running[Symbol.asyncDispose]();
    expect(clock.sleepers()).toBe(0);
  });
});

const untilNever = (): Promise<void> => new Promise(() => undefined);

describe('what a route may do', () => {
  it('close its connection without an answer', async () => {
    const drop: Route = { method: 'GET', path: '/drop', scope: 'read', handler: () => ({ kind: 'destroy' }) };
    await using running = await start([drop]);
    await expect(fetch(`${running.url}/drop`)).rejects.toThrow('fetch failed');
    expect(running.front.stats()).toMatchObject({ requests: 1, errors: 0, inFlight: 0 });
  });

  it('take more keys than others', async () => {
    const echo = (path: string, more: object): Route => ({
      method: 'POST',
      path,
      scope: 'read',
      handler: async (context) => ({ kind: 'json', body: Object.keys((await context.readJson()) as object).length }),
      ...more,
    });
    await using running = await start([echo('/few', {}), echo('/many', { maxJsonKeys: 20_000, maxBodyBytes: 1e6 })]);
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`k${index}`, 1])));
    const post = (path: string) =>
      fetch(running.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect((await post('/few')).status).toBe(400);
    expect(await (await post('/many')).json()).toBe(12_000);
  });

  it('[T15.unknown-major] be spared callers of another major version', async () => {
    const any: Route = { method: 'GET', path: '/x', scope: 'read', handler: () => ({ kind: 'json', body: {} }) };
    await using running = await start([any]);
    const ask = (version: string) => fetch(`${running.url}/x`, { headers: { 'api-version': version } });
    expect((await ask('1')).status).toBe(200);
    expect((await ask('1.4.2')).headers.get('api-version')).toBe('1.0.0');
    const refused = await ask('2.0.0');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: 'VALIDATION_ERROR', details: { field: 'apiVersion', value: '2.0.0', supported: ['1.0.0'] } },
    });
  });

  it('[T13.switch] leave the security headers to a proxy', async () => {
    const any: Route = { method: 'GET', path: '/x', scope: 'read', handler: () => ({ kind: 'json', body: {} }) };
    await using running = await start([any], { securityHeaders: false });
    const { headers } = await fetch(`${running.url}/x`);
    expect(headers.get('content-security-policy')).toBeNull();
    expect(headers.get('x-frame-options')).toBeNull();
    expect([headers.get('api-version'), headers.get('cache-control')]).toEqual(['1.0.0', 'no-store']);
  });

  it('[T13.cors] let browsers send the parameters of MCP, whose names nobody can list', async () => {
    const any: Route = { method: 'DELETE', path: '/x', scope: 'read', handler: () => ({ kind: 'json', body: {} }) };
    await using running = await start([any], { allowedOrigins: ['http://app.example'] });
    const { headers } = await fetch(`${running.url}/x`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://app.example',
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'mcp-param-city, x-evil, Mcp-Session-Id',
      },
    });
    expect(headers.get('access-control-allow-methods')).toContain('DELETE');
    const allowed = headers.get('access-control-allow-headers') ?? '';
    for (const name of ['mcp-param-city', 'MCP-Protocol-Version', 'Last-Event-ID', 'API-Version', 'Idempotency-Key'])
      expect(allowed).toContain(name);
    expect(allowed).not.toContain('x-evil');
    const answer = await fetch(`${running.url}/x`, { method: 'DELETE', headers: { origin: 'http://app.example' } });
    const exposed = answer.headers.get('access-control-expose-headers') ?? '';
    for (const name of ['Mcp-Session-Id', 'X-RateLimit-Remaining', 'Retry-After', 'API-Version'])
      expect(exposed).toContain(name);
    expect(running.front.stats().cors).toEqual({ allowedOrigins: ['http://app.example'], preflights: 1 });
  });
});
