import { TOOLS } from '@cloutagent/contract';
import type { Reply, RequestContext, Route } from '@cloutagent/http';
import { toIso, type Clock } from '@cloutagent/kit';
import { exists, isReadable, isWritable } from './folder.ts';

export interface ProbeDeps {
  /** Project root and its openspec folder, which the first change may yet have to make. */
  readonly root: string;
  readonly openspecDir: string;
  readonly clock: Clock;
  readonly version: string;
}

/** What `GET /` tells programs: seed 002 "Root Endpoint", with the endpoints and features that are there. */
const ROOT = {
  name: 'Task MCP HTTPS/SSE Server',
  security: {
    authentication: 'Bearer token and cookie-based',
    rateLimiting: 'IP and token-based with burst control',
    cors: 'Configurable origin whitelist',
    headers: 'CSP, HSTS over TLS, and security headers',
    audit: 'Structured JSON logging',
  },
  endpoints: {
    sse: 'POST /sse - Server-Sent Events',
    mcp: 'POST /mcp - Streamable HTTP (NDJSON)',
    healthz: 'GET /healthz - Liveness probe',
    readyz: 'GET /readyz - Readiness probe',
    health: 'GET /health - Comprehensive health check (authenticated)',
    security: 'GET /security/metrics - Security metrics (authenticated)',
    metrics: 'GET /metrics - Prometheus metrics (authenticated)',
  },
  documentation: 'https://github.com/Fission-AI/OpenSpec',
  features: {
    ide_integration: true,
    resource_uris: true,
    template_system: true,
    docker_deployment: false,
    performance_monitoring: true,
  },
};

/** `/healthz`, `/readyz` and `/` (seed 002), open to callers without a token; every figure is measured when asked. */
export const probeRoutes = ({ root, openspecDir, clock, version }: ProbeDeps): readonly Route[] => {
  const started = clock.monotonic();
  const common = () => ({
    timestamp: toIso(clock.now()),
    uptime: Math.floor((clock.monotonic() - started) / 1000),
    version,
  });
  const folder = async (): Promise<string> => ((await exists(openspecDir)) ? openspecDir : root);
  const hasTools = Object.keys(TOOLS).length > 0;

  const health = async (): Promise<Reply> => {
    const filesystem = await isReadable(await folder());
    const well = filesystem && hasTools;
    const word = (ok: boolean): string => (ok ? 'pass' : 'fail');
    const { timestamp, uptime } = common();
    const checks = { filesystem: word(filesystem), tools: word(hasTools) };
    const status = well ? 'healthy' : 'unhealthy';
    return { kind: 'json', status: well ? 200 : 503, body: { status, timestamp, uptime, version, checks } };
  };

  const readiness = async (context: RequestContext): Promise<Reply> => {
    const place = await folder();
    const filesystem = (await isReadable(place)) && (await isWritable(place));
    const ready = filesystem && hasTools;
    // The front refuses to listen where its checks could not hold, so a probe that is reached was guarded.
    const shared = context.stats().rateLimit?.shared ?? 'off';
    // Without Redis each process limits by itself, so it is shown and the server stays ready.
    const redis = shared === 'off' ? {} : { redis: shared === 'redis' };
    const dependencies = { tools: hasTools, filesystem, security: true, ...redis };
    const status = ready ? 'healthy' : 'unhealthy';
    return { kind: 'json', status: ready ? 200 : 503, body: { status, ready, ...common(), dependencies } };
  };

  const probe = (path: string, handler: Route['handler']): Route => ({ method: 'GET', path, scope: 'open', handler });
  const { name, ...rest } = ROOT;
  return [
    probe('/healthz', health),
    probe('/readyz', readiness),
    probe('/', () => ({ kind: 'json', body: { name, version, ...rest } })),
  ];
};
