import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';
import { principalOf, tokenTable } from './authenticate.ts';
import type { Route } from './types.ts';

const route = (method: 'GET' | 'POST', scope: Route['scope']): Route => ({
  method,
  path: `/${scope}`,
  scope,
  handler: ({ principal }) => ({ kind: 'json', body: principal }),
});
const routes = (['open', 'read', 'run', 'admin'] as const).flatMap((scope) => [
  route('GET', scope),
  route('POST', scope),
]);

const TOKENS = { user: ['devtoken', 'testtoken'], admin: ['root-token'] };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('with user tokens', () => {
  const table: readonly (readonly [string, Record<string, string>, readonly number[]])[] = [
    ['none', {}, [200, 401, 401, 401]],
    ['a user token', bearer('devtoken'), [200, 200, 200, 403]],
    ['a second user token', bearer('testtoken'), [200, 200, 200, 403]],
    ['an admin token', bearer('root-token'), [200, 200, 200, 200]],
    ['a wrong token', bearer('devtokeX'), [401, 401, 401, 401]],
    ['an empty token', { authorization: 'Bearer ' }, [401, 401, 401, 401]],
    ['another scheme', { authorization: 'Basic devtoken' }, [401, 401, 401, 401]],
    ['a cookie', { cookie: 'a=b; task-mcp-auth=devtoken; c=d' }, [200, 200, 200, 403]],
    ['a wrong cookie', { cookie: 'task-mcp-auth=no' }, [401, 401, 401, 401]],
  ];

  it.each(table)('[T5.bearer, T5.cookie, T5.scopes, T4.tokenless] %s', async (_name, headers, expected) => {
    await using running = await start(routes, { tokens: TOKENS });
    const statuses: number[] = [];
    for (const scope of ['open', 'read', 'run', 'admin'])
      statuses.push((await fetch(`${running.url}/${scope}`, { headers })).status);
    expect(statuses).toEqual(expected);
  });

  it('[T5.no-count, T10.forbidden] says no more than that the token is wrong', async () => {
    await using running = await start(routes, { tokens: TOKENS });
    const refused = await fetch(`${running.url}/read`, { headers: bearer('wrong-one') });
    const text = await refused.text();
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect((JSON.parse(text) as { error: unknown }).error).toEqual({
      code: 'AUTHENTICATION_FAILED',
      message: 'Invalid or missing authentication token',
      hint: 'Provide a valid Bearer token in the Authorization header',
      details: { provided: true },
    });
    expect(JSON.stringify(running.logs)).not.toContain('wrong-one');
    const narrow = await fetch(`${running.url}/admin`, { headers: bearer('devtoken') });
    expect(((await narrow.json()) as { error: { code: string } }).error.code).toBe('FORBIDDEN');
  });

  it('[H7] [T5.cookie-origin] a cookie needs our Origin to write, and no foreign site to read', async () => {
    await using running = await start(routes, { tokens: TOKENS });
    const cookie = 'task-mcp-auth=devtoken';
    const status = async (method: string, headers: Record<string, string>): Promise<number> =>
      (await fetch(`${running.url}/run`, { method, headers: { cookie, ...headers } })).status;
    expect(await status('POST', {})).toBe(403);
    expect(await status('POST', { 'sec-fetch-site': 'same-origin' })).toBe(403);
    expect(await status('POST', { origin: running.url })).toBe(200);
    expect(await status('POST', { origin: 'http://evil.example' })).toBe(403);
    expect(await status('GET', { 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await status('GET', { 'sec-fetch-site': 'none' })).toBe(200);
    expect(await status('GET', { 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await status('GET', { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status('POST', bearer('devtoken'))).toBe(200);
  });
});

describe('without user tokens', () => {
  it.each([
    ['no token', {}],
    ['any token', bearer('devtoken')],
    ['a stale cookie', { cookie: 'task-mcp-auth=old' }],
  ])('[T5.loopback] %s reads and runs and does not administer', async (_name, headers) => {
    await using running = await start(routes, { tokens: { user: [], admin: ['root-token'] } });
    for (const [scope, status] of Object.entries({ open: 200, read: 200, run: 200, admin: 403 })) {
      expect((await fetch(`${running.url}/${scope}`, { headers })).status).toBe(status);
    }
    expect(await (await fetch(`${running.url}/run`, { headers })).json()).toEqual({
      name: 'local',
      scopes: ['read', 'run'],
    });
    expect((await fetch(`${running.url}/admin`, { headers: bearer('root-token') })).status).toBe(200);
  });
});

describe('tokens', () => {
  it('[H1] [T5.constant-time] are kept as SHA-256 and give a stable id that is not the token', () => {
    const known = tokenTable(TOKENS);
    expect(JSON.stringify(known)).not.toMatch(/devtoken|root-token/u);
    expect(known.known.every(({ digest }) => digest.length === 32)).toBe(true);
    expect(principalOf(known, 'devtoken')).toEqual({
      name: 'user-9428e07c',
      scopes: ['read', 'run'],
      tokenId: expect.stringMatching(/^[0-9a-f]{16}$/u) as string,
    });
    expect(principalOf(known, 'x')).toBeUndefined();
    expect(principalOf(tokenTable({ user: ['same'], admin: ['same'] }), 'same')?.scopes).toContain('admin');
  });

  it('are not asked for where the front does not authenticate', async () => {
    await using running = await start(routes, { tokens: TOKENS, authenticate: false });
    expect((await fetch(`${running.url}/admin`, { headers: bearer('sk-ant-x') })).status).toBe(200);
  });
});
