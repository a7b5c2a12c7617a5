import { describe, expect, it } from 'vitest';
import { manualClock, start } from './harness.ts';
import type { FrontOptions, Route } from './types.ts';

const write: Route = { method: 'POST', path: '/w', scope: 'run', handler: () => ({ kind: 'json', body: {} }) };
const read: Route = { method: 'GET', path: '/r', scope: 'read', handler: () => ({ kind: 'json', body: {} }) };
const probe: Route = { method: 'GET', path: '/healthz', scope: 'open', handler: () => ({ kind: 'json', body: {} }) };
const events: Route = { ...read, path: '/sse', limited: true };
const routes = [write, read, probe, events];

const idle = { read: () => 0, close: () => undefined };
const limits = (more: Partial<FrontOptions['rateLimit']> = {}) => ({
  rateLimit: { rate: 60, windowMs: 60_000, burst: 3, loopDelay: idle, ...more },
  tokens: { user: ['one', 'two'], admin: [] },
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const rateHeaders = ({ headers }: Response) =>
  ['limit', 'remaining', 'reset', 'retry-after', 'window'].map((name) => headers.get(`x-ratelimit-${name}`));

describe('rate limits', () => {
  it('[T12.burst, T12.headers] count down, then answer 429 as the seed does, then refill', async () => {
    const clock = manualClock(1_700_000_000_000);
    await using running = await start(routes, { ...limits(), clock });
    const post = () => fetch(`${running.url}/w`, { method: 'POST', headers: bearer('one') });
    const first = await post();
    expect(rateHeaders(first)).toEqual(['60', '2', '1700000001', '0', '60']);
    await post();
    expect(rateHeaders(await post())).toEqual(['60', '0', '1700000003', '1', '60']);
    const refused = await post();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(rateHeaders(refused)).toEqual(['60', '0', '1700000003', '1', '60']);
    expect(await refused.json()).toMatchObject({
      error: {
        code: 'RATE_LIMIT_EXCEEDED',
        message: 'Rate limit exceeded',
        hint: 'Try again in 1 second',
        retryAfter: 1,
        details: { limit: 60, window: '1 minute', current: 4 },
      },
    });
    clock.advance(1000);
    expect([(await post()).status, (await post()).status]).toEqual([200, 429]);
    expect(running.front.stats().rateLimit).toMatchObject({ blocked: 2, active: 1, shared: 'off', slowed: false });
  });

  it('[T12.rate] count each token by itself, and callers without one by their address', async () => {
    await using running = await start(routes, { ...limits(), clock: manualClock() });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${running.url}/w`, { method: 'POST', headers })).status;
    for (let count = 0; count < 3; count += 1) expect(await status(bearer('one'))).toBe(200);
    expect(await status(bearer('one'))).toBe(429);
    expect(await status(bearer('two'))).toBe(200);
    for (let count = 0; count < 3; count += 1) expect(await status({})).toBe(401);
    expect(await status({})).toBe(429);
    expect(await status(bearer('two'))).toBe(200);
  });

  it('[T12.where] hold for writes and named routes; reads and probes only show what is left', async () => {
    await using running = await start(routes, { ...limits(), clock: manualClock() });
    const get = (path: string) => fetch(running.url + path, { headers: bearer('one') });
    for (let count = 0; count < 5; count += 1) {
      expect(rateHeaders(await get('/r'))[1]).toBe('3');
      expect((await get('/healthz')).status).toBe(200);
    }
    for (let count = 0; count < 3; count += 1) expect((await get('/sse')).status).toBe(200);
    expect((await get('/sse')).status).toBe(429);
    expect(rateHeaders(await get('/healthz'))).toEqual(['60', '0', expect.any(String), '1', '60']);
  });

  it('[T12.adaptive] refill at half speed while the event loop is late, until it is early again', async () => {
    const clock = manualClock();
    let late = 0;
    const loopDelay = { read: () => late, close: () => undefined };
    await using running = await start(routes, { ...limits({ loopDelay }), clock });
    const post = async () => (await fetch(`${running.url}/w`, { method: 'POST', headers: bearer('one') })).status;
    const drainBucket = async () => {
      while ((await post()) === 200);
    };
    await drainBucket();
    const afterSecond = async (delay: number): Promise<boolean> => {
      late = delay;
      clock.advance(1000);
      return running.front.stats().rateLimit?.slowed ?? false;
    };
    expect(await afterSecond(100)).toBe(false);
    expect(await post()).toBe(200);
    expect(await afterSecond(101)).toBe(true);
    expect(running.front.stats().rateLimit?.loopDelayP99Ms).toBe(101);
    expect(await post()).toBe(429);
    expect(await afterSecond(50)).toBe(true);
    expect(await post()).toBe(200);
    expect(await afterSecond(49)).toBe(false);
    expect(await post()).toBe(200);
  });

  it('[T12.proxies] believe X-Forwarded-For only from trusted proxies, read from its end', async () => {
    const counted = async (trustedProxies: string[], forwarded: string[]): Promise<number[]> => {
      await using running = await start(routes, { ...limits({ burst: 1 }), clock: manualClock(), trustedProxies });
      const statuses: number[] = [];
      for (const hop of forwarded) {
        const answer = await fetch(`${running.url}/w`, { method: 'POST', headers: { 'x-forwarded-for': hop } });
        statuses.push(answer.status);
      }
      return statuses;
    };
    expect(await counted([], ['1.1.1.1', '2.2.2.2'])).toEqual([401, 429]);
    expect(await counted(['127.0.0.1'], ['1.1.1.1', '2.2.2.2', '1.1.1.1'])).toEqual([401, 401, 429]);
    expect(await counted(['127.0.0.0/8'], ['9.9.9.9, 1.1.1.1', '8.8.8.8, 1.1.1.1'])).toEqual([401, 429]);
    expect(await counted(['127.0.0.1', '10.0.0.0/8'], ['1.1.1.1, 10.2.3.4', '2.2.2.2, 10.2.3.4'])).toEqual([401, 401]);
    expect(await counted(['127.0.0.1'], ['nonsense', 'other'])).toEqual([401, 429]);
    expect(await counted(['127.0.0.1'], ['2001:db8::1', '2001:db8::2', '[2001:db8:0:1::1]:80'])).toEqual([
      401, 429, 401,
    ]);
    await expect(start(routes, { trustedProxies: ['10.0.0.0/99'] })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
  });
});

describe('[H2] [T12.login] wrong tokens', () => {
  const tokens = { user: ['right'], admin: [] };

  it('are looked at ten times a minute at most, before the body is read, and lock nobody else out', async () => {
    const clock = manualClock();
    let bodies = 0;
    const reading: Route = {
      ...write,
      handler: async (context) => {
        bodies += 1;
        await context.readJson();
        return { kind: 'json', body: {} };
      },
    };
    await using running = await start([reading], { clock, tokens, trustedProxies: ['127.0.0.1'] });
    const attempt = async (token: string, from: string): Promise<number> => {
      const headers = { ...bearer(token), 'x-forwarded-for': from, 'content-type': 'application/json' };
      return (await fetch(`${running.url}/w`, { method: 'POST', headers, body: '{}' })).status;
    };
    expect(await attempt('right', '3.3.3.3')).toBe(200);
    const statuses: number[] = [];
    for (let second = 0; second < 60; second += 1) {
      for (let count = 0; count < 5; count += 1) statuses.push(await attempt(`guess-${second}-${count}`, '1.1.1.1'));
      clock.advance(1000);
    }
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    expect(statuses.filter((status) => status !== 401).every((status) => status === 429)).toBe(true);
    expect(bodies).toBe(1);
    // A good token from there is not looked at either: its answer would tell a guess from a hit.
    while ((await attempt('guess', '1.1.1.1')) === 401);
    expect(await attempt('right', '1.1.1.1')).toBe(429);
    expect(await attempt('right', '2.2.2.2')).toBe(200);
    for (let count = 0; count < 20; count += 1) await attempt(`guess ${count}`, '3.3.3.3');
    expect(await attempt('right', '3.3.3.3')).toBe(200);
    expect(running.front.stats().auth).toMatchObject({ configured: 1, active: 1 });
  });

  it('count on a login route too, however many come at once, and right ones are given back', async () => {
    const login: Route = {
      method: 'POST',
      path: '/login',
      scope: 'open',
      handler: async (context) => {
        const body = (await context.readJson()) as { token: string };
        const principal = context.checkToken(body.token);
        return { kind: 'json', status: principal === undefined ? 401 : 200, body: {} };
      },
    };
    await using running = await start([login], { tokens, clock: manualClock() });
    const attempt = async (token: string): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${running.url}/login`, { method: 'POST', headers, body: JSON.stringify({ token }) })).status;
    };
    for (let count = 0; count < 20; count += 1) expect(await attempt('right')).toBe(200);
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, index) => attempt(`guess-${index}`)));
    expect(statuses.filter((status) => status === 401).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(45);
    expect(running.front.stats().auth).toMatchObject({ attempts: 25, failures: 5, blocked: 45 });
  });

  it('cost a loopback caller nothing where no token is needed, unless it tries many', async () => {
    await using running = await start([read], { tokens: { user: [], admin: ['root'] }, clock: manualClock() });
    const attempt = async (token: string): Promise<number> =>
      (await fetch(`${running.url}/r`, { headers: bearer(token) })).status;
    for (let count = 0; count < 30; count += 1) expect(await attempt('devtoken')).toBe(200);
    const statuses = [];
    for (let count = 0; count < 30; count += 1) statuses.push(await attempt(`guess-${count}`));
    expect(statuses.filter((status) => status === 200).length).toBe(4);
    expect(await attempt('devtoken')).toBe(200);
    expect((await fetch(`${running.url}/r`)).status).toBe(200);
  });
});
