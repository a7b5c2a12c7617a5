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

  it('[T4.root] / has the members of the seed, and names what is there', async () => {
    await using served = await serveChanges({});
    const response = await fetch(served.url);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    const body = (await response.json()) as { endpoints: object };
    expect(body).toMatchObject({
      name: 'Task MCP HTTPS/SSE Server',
      version: '9.9.9',
      security: {
        authentication: 'Bearer token and cookie-based',
        rateLimiting: 'IP and token-based with burst control',
        cors: 'Configurable origin whitelist',
        headers: expect.stringContaining('CSP') as string,
        audit: 'Structured JSON logging',
      },
      endpoints: {
        sse: 'POST /sse - Server-Sent Events',
        mcp: 'POST /mcp - Streamable HTTP (NDJSON)',
        healthz: 'GET /healthz - Liveness probe',
        readyz: 'GET /readyz - Readiness probe',
        health: expect.stringMatching(/^GET \/health - Comprehensive health check/u) as string,
        security: 'GET /security/metrics - Security metrics (authenticated)',
      },
      documentation: expect.stringMatching(/^https:/u) as string,
      features: { ide_integration: true, resource_uris: true, template_system: true, performance_monitoring: true },
    });
    for (const line of Object.values(body.endpoints)) {
      const [method = '', path = ''] = String(line).split(' ');
      const reached = await fetch(served.url + path, { method });
      expect([404, 405]).not.toContain(reached.status);
    }
  });

  it('[T4.tokenless, T4.head] need no token, refuse a wrong one, and answer HEAD', async () => {
    await using served = await serveChanges({}, { front: { tokens: { user: ['right'], admin: [] } } });
    const cookie = { cookie: 'task-mcp-auth=wrong' };
    expect((await fetch(`${served.url}/healthz`, { headers: cookie })).status).toBe(401);
    for (const path of ['/healthz', '/readyz', '/']) {
      expect((await fetch(served.url + path)).status).toBe(200);
      expect((await fetch(served.url + path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
      const head = await fetch(served.url + path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      const shown = await (await fetch(served.url + path)).text();
      for (const secret of [served.root, 'right', process.execPath]) expect(shown).not.toContain(secret);
    }
  });

  it('[T4.readyz, T12.redis-lost] a lost Redis is shown and leaves the server ready', async () => {
    const rateLimit = { rate: 60, windowMs: 60_000, burst: 90, redisUrl: 'redis://127.0.0.1:1' };
    await using served = await serveChanges({}, { front: { rateLimit } });
    await served.post('/mcp', { tool: 'changes.active' });
    const ready = await fetch(`${served.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true, dependencies: { redis: false } }]);
    const metrics = (await (await fetch(`${served.url}/security/metrics`)).json()) as object;
    expect(metrics).toMatchObject({ data: { rateLimit: { shared: 'degraded', degraded: true } } });
  });
});
