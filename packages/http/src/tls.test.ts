import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';
import { selfSigned } from './self-signed.ts';
import type { Route } from './types.ts';

const whoAmI: Route = {
  method: 'GET',
  path: '/x',
  scope: 'read',
  handler: ({ secure }) => ({ kind: 'json', body: { secure } }),
};

const get = (url: string, ca: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const call = request(url, { ca, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    call.on('error', reject).end();
  });

describe('TLS', () => {
  it('[T19.tls, T13.security-headers] serves HTTPS with HSTS, and its own origin is https', async () => {
    const { cert, key } = selfSigned();
    await using running = await start([whoAmI], { tls: { cert, key } });
    expect(running.url).toBe(`https://127.0.0.1:${running.port}`);
    const answer = await get(`${running.url}/x`, cert);
    expect([answer.status, answer.body]).toEqual([200, '{"secure":true}']);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    expect((await get(`${running.url}/x`, cert, { origin: running.url })).status).toBe(200);
    expect((await get(`${running.url}/x`, cert, { origin: running.url.replace('https', 'http') })).status).toBe(403);
    await expect(fetch(running.url.replace('https', 'http'))).rejects.toThrow('fetch failed');
    expect(running.front.stats()).toMatchObject({ tls: true });
  });

  it('believes a trusted proxy that its client spoke TLS, and nobody else', async () => {
    const secure = async (trustedProxies: string[]) => {
      await using running = await start([whoAmI], { trustedProxies, tokens: { user: ['t'], admin: [] } });
      const headers = { 'x-forwarded-proto': 'https', authorization: 'Bearer t' };
      const answer = await fetch(`${running.url}/x`, { headers });
      return [(await answer.json()) as unknown, answer.headers.has('strict-transport-security')];
    };
    expect(await secure(['127.0.0.1'])).toEqual([{ secure: true }, true]);
    expect(await secure([])).toEqual([{ secure: false }, false]);
  });
});
