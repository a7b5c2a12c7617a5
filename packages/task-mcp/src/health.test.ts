import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFront } from '@cloutagent/http';
import { systemClock } from '@cloutagent/kit';
import { serveChanges, serveProject } from './harness.ts';
import { serveMetrics } from './metrics-server.ts';

const tokens = { user: ['devtoken'], admin: [] };
const idle = { read: () => 0, close: () => undefined };
const rateLimit = { rate: 60, windowMs: 60_000, burst: 3, loopDelay: idle };
const auth = { authorization: 'Bearer devtoken' };
const call = { tool: 'changes.active', input: {} };

describe('[T4.health, T18.health] GET /health', () => {
  it('has the body of the seed and the figures of performance, all measured', async () => {
    await using served = await serveProject({ front: { tokens, rateLimit, allowedOrigins: ['http://app.example'] } });
    const ask = async () =>
      (await (await fetch(`${served.url}/health`, { headers: auth })).json()) as Record<string, unknown>;
    const before = await ask();
    expect(before).toMatchObject({
      status: 'healthy',
      timestamp: expect.stringMatching(/Z$/u) as string,
      uptime: expect.any(Number) as number,
      version: '9.9.9',
      checks: {
        filesystem: { status: 'pass', details: { accessible: true, writable: true, path: served.root } },
        tools: {
          status: 'pass',
          details: { available: ['change.open', 'change.archive', 'changes.active'], count: 3 },
        },
        memory: {
          status: 'pass',
          details: {
            used: expect.stringMatching(/^\d+MB$/u) as string,
            limit: expect.stringMatching(/^\d+MB$/u) as string,
            percentage: expect.any(Number) as number,
          },
        },
        security: { details: { auth_tokens_configured: 1, rate_limiting_enabled: true, cors_enabled: true } },
        performance: { p50: null, p95: null, p99: null, errorRate: 0 },
      },
    });
    await mkdir(join(served.root, 'openspec'));
    const after = (await ask()) as { checks: Record<string, unknown> };
    expect(after.checks).toMatchObject({
      filesystem: { details: { path: join(served.root, 'openspec') } },
      performance: { p50: expect.any(Number) as number, p99: expect.any(Number) as number, errorRate: 0 },
    });
  });

  it('needs a token, as the figures beside it do', async () => {
    await using served = await serveProject({ front: { tokens } });
    for (const path of ['/health', '/security/metrics', '/metrics']) {
      expect((await fetch(served.url + path)).status).toBe(401);
      expect((await fetch(served.url + path, { headers: auth })).status).toBe(200);
      expect((await fetch(served.url + path, { headers: auth, method: 'HEAD' })).status).toBe(200);
    }
  });

  it('[T4.health] is unhealthy and 503 where the folder cannot be read or written', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'health-')), 'openspec');
    await writeFile(file, 'not a folder');
    await using served = await serveChanges({ openspecDir: file }, { front: { tokens } });
    const response = await fetch(`${served.url}/health`, { headers: auth });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: 'unhealthy',
      checks: { filesystem: { status: 'fail', details: { accessible: false } } },
    });
    await rm(dirname(file), { recursive: true });
  });
});

describe('[T4.security-metrics] GET /security/metrics', () => {
  it('counts what happened in the shape of the seed', async () => {
    await using served = await serveProject({
      front: { tokens, rateLimit, allowedOrigins: ['http://app.example'], audit: () => undefined },
    });
    await fetch(`${served.url}/sse`, { method: 'OPTIONS', headers: { origin: 'http://app.example' } });
    await served.post('/mcp', call, { authorization: 'Bearer wrong' });
    for (let count = 0; count < 4; count += 1) await served.post('/mcp', call);
    const response = await fetch(`${served.url}/security/metrics`, { headers: auth });
    expect(await response.json()).toEqual({
      success: true,
      data: {
        audit: { totalEvents: 5, failedAuthentications: 1, rateLimitViolations: 1 },
        auth: { activeTokens: 1, totalAttempts: 6, successRate: 0.8333, blockedAttempts: 0 },
        rateLimit: {
          activeRequests: 1,
          blockedRequests: 1,
          config: { requestsPerMinute: 60, burstLimit: 3 },
          shared: 'off',
          degraded: false,
          adaptive: { slowed: false, eventLoopDelayP99Ms: 0 },
        },
        cors: { allowedOrigins: ['http://app.example'], preflightRequests: 1 },
      },
    });
  });
});

describe('[T18.metrics] GET /metrics', () => {
  it('is Prometheus text with latencies, errors, memory, connections and rate-limit hits', async () => {
    const broken = { list: () => Promise.reject(new Error('broken')) };
    await using served = await serveChanges(broken, { front: { tokens, rateLimit } });
    for (let count = 0; count < 4; count += 1) await served.post('/mcp', call);
    const response = await fetch(`${served.url}/metrics`, { headers: auth });
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    for (const line of [
      'task_mcp_requests_total{method="POST",route="/mcp"} 4',
      'task_mcp_request_errors_total{method="POST",route="/mcp"} 3',
      'task_mcp_request_error_ratio{method="POST",route="/mcp"} 0.75',
      'task_mcp_request_duration_seconds_count{method="POST",route="/mcp"} 4',
      'task_mcp_rate_limit_hits_total{limit="requests"} 1',
      'task_mcp_requests_in_flight 1',
    ])
      expect(text).toContain(`${line}\n`);
    for (const quantile of ['0.5', '0.95', '0.99'])
      expect(text).toMatch(
        new RegExp(
          `task_mcp_request_duration_seconds\\{method="POST",route="/mcp",quantile="${quantile}"\\} [\\d.]+\n`,
          'u',
        ),
      );
    expect(text).toMatch(/\nprocess_resident_memory_bytes \d{7,}\n/u);
    expect(text).toMatch(/\ntask_mcp_connections [1-9]\d*\n/u);
    // Every line is a comment or a sample, as the format demands.
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? (NaN|[-+\d.e]+))$/u);
  });

  it('[T18.metrics-token] is open without a token only on a loopback address of its own', async () => {
    const front = createFront({ routes: [], tokens, allowedOrigins: [], clock: systemClock, log: () => undefined });
    const deps = { clock: systemClock, log: () => undefined };
    const metrics = await serveMetrics({ host: '127.0.0.1', port: 0 }, () => front.stats(), deps);
    const response = await fetch(metrics?.url ?? '');
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('task_mcp_connections 0')]);
    await metrics?.close();
    expect(await serveMetrics(undefined, () => front.stats(), deps)).toBeUndefined();
    await expect(serveMetrics({ host: '0.0.0.0', port: 0 }, () => front.stats(), deps)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});
