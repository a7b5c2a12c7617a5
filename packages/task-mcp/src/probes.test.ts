import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manualClock, serveChanges } from './harness.ts';

const AT = '2023-11-14T22:13:20.000Z';

describe('probes', () => {
  it('[T4.healthz, T4.readyz, T4.measured] answer with the bodies of the seed', async () => {
    const clock = manualClock();
    await using served = await serveChanges({}, { clock });
    const health = await fetch(`${served.url}/healthz`);
    expect([health.status, health.headers.get('content-type')]).toEqual([200, 'application/json']);
    const common = { status: 'healthy', timestamp: AT, uptime: 0, version: '9.9.9' };
    expect(await health.json()).toEqual({ ...common, checks: { filesystem: 'pass', tools: 'pass' } });
    expect(await (await fetch(`${served.url}/readyz`)).json()).toEqual({
      ...common,
      ready: true,
      dependencies: { tools: true, filesystem: true, security: true },
    });
    clock.advance(3_600_900);
    expect(await (await fetch(`${served.url}/healthz`)).json()).toMatchObject({ uptime: 3600 });
  });

  it('[T4.measured] look at the folder each time', async () => {
    await using served = await serveChanges({});
    await mkdir(join(served.root, 'openspec'));
    expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
    await rm(served.root, { recursive: true });
    const health = await fetch(`${served.url}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { status: 'unhealthy', checks: { filesystem: 'fail', tools: 'pass' } },
    ]);
    const ready = await fetch(`${served.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      { ready: false, dependencies: { filesystem: false } },
    ]);
  });

  it('[T4.measured] are not ready where a change could not be written', async () => {
    await using served = await serveChanges({});
    // The probe writes beside the changes; root may write into any folder, but nobody into a file.
    await writeFile(join(served.root, 'openspec'), '');
    expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
  });

  it('[T4.root] / names what is there', async () => {
    await using served = await serveChanges({});
    const body = (await (await fetch(served.url)).json()) as { name: string; version: string; endpoints: object };
    expect([body.name, body.version]).toEqual(['Task MCP HTTPS/SSE Server', '9.9.9']);
    for (const line of Object.values(body.endpoints)) {
      const [method = '', path = ''] = String(line).split(' ');
      const response = await fetch(served.url + path, { method });
      expect([404, 405]).not.toContain(response.status);
    }
  });

  it('[T4.tokenless, T4.head] need no token, refuse a wrong one, and answer HEAD', async () => {
    await using served = await serveChanges({}, { front: { tokens: { user: ['right'], admin: [] } } });
    for (const path of ['/healthz', '/readyz', '/']) {
      expect((await fetch(served.url + path)).status).toBe(200);
      expect((await fetch(served.url + path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
      const head = await fetch(served.url + path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      expect(await (await fetch(served.url + path)).text()).not.toContain(served.root);
    }
  });
});
