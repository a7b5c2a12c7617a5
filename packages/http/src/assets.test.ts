import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { raw, start } from './harness.ts';
import type { Route } from './types.ts';

const build = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assets-'));
  const dist = join(folder, 'dist');
  await mkdir(join(dist, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(dist, 'index.html'), '<p>page</p>');
  await writeFile(join(dist, '.hidden'), 'hidden');
  await writeFile(join(dist, 'assets', 'a-1.js'), 'js()');
  await writeFile(join(dist, 'assets', 'gone-1.js'), 'gone');
  return { dist, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};

const root: Route = {
  method: 'GET',
  path: '/',
  scope: 'open',
  handler: () => ({ kind: 'json', body: { name: 'api' } }),
};
const api: Route = { method: 'GET', path: '/api/x', scope: 'read', handler: () => ({ kind: 'json', body: { x: 1 } }) };

describe('assets', () => {
  it('are served by name, the page to people and JSON to programs', async () => {
    await using built = await build();
    await using running = await start([root, api], { assets: built.dist });
    const get = async (path: string, accept: string): Promise<string> => {
      const response = await fetch(running.url + path, { headers: { accept } });
      return `${response.status} ${await response.text()}`;
    };
    const html = 'text/html,application/xhtml+xml,*/*;q=0.8';
    expect(await get('/', '*/*')).toBe('200 {"name":"api"}');
    expect(await get('/', html)).toBe('200 <p>page</p>');
    expect(await get('/runs/run_1', html)).toBe('200 <p>page</p>');
    expect(await get('/api/x', html)).toBe('200 {"x":1}');
    expect(await get('/assets/a-1.js', '*/*')).toBe('200 js()');
    expect(await get('/nothing', '*/*')).toMatch(/^404 .*NOT_FOUND/u);
    expect(await get('/.hidden', '*/*')).toMatch(/^404 /u);
  });

  it('[T13.security-headers] carry the security headers and sensible caching', async () => {
    await using built = await build();
    await using running = await start([root], { assets: built.dist });
    const page = await fetch(`${running.url}/`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect([page.headers.get('cache-control'), page.headers.get('content-type')]).toEqual([
      'no-cache',
      'text/html;charset=utf-8',
    ]);
    const script = await fetch(`${running.url}/assets/a-1.js`);
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  it('never leave their folder and survive bad ranges and vanished files', async () => {
    await using built = await build();
    await using running = await start([root], { assets: built.dist });
    const host = `Host: localhost:${running.port}\r\nConnection: close\r\n`;
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/%']) {
      const answer = await raw(running.port, `GET ${path} HTTP/1.1\r\n${host}\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /u);
    }
    expect(await raw(running.port, `GET /assets/a-1.js HTTP/1.1\r\n${host}Range: bytes=3-1\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200 /u,
    );
    await rm(join(built.dist, 'assets', 'gone-1.js'));
    await expect(fetch(`${running.url}/assets/gone-1.js`).then((response) => response.text())).rejects.toThrow(
      /terminated|failed/u,
    );
    expect((await fetch(running.url)).status).toBe(200);
  });

  it('may be absent', async () => {
    await using running = await start([root], { assets: join(tmpdir(), 'no-such-folder') });
    expect((await fetch(running.url, { headers: { accept: 'text/html' } })).status).toBe(200);
  });
});
