import { TOOLS } from '@cloutagent/contract';
import type { FrontStats, Reply, Route } from '@cloutagent/http';
import { toIso, type Clock } from '@cloutagent/kit';
import { isReadable, isWritable } from './folder.ts';
import { memoryUse } from './memory.ts';
import { prometheusText } from './prometheus.ts';

export interface HealthDeps {
  readonly openspecDir: () => Promise<string>;
  /** How the folder is called towards this caller: nobody else's paths leave the machine. */
  readonly shownPath: (folder: string, local: boolean) => string;
  readonly isLocal: (context: Parameters<Route['handler']>[0]) => boolean;
  readonly clock: Clock;
  readonly version: string;
}

/** Beyond this share of its limit a process spends its time collecting garbage. */
const MEMORY_TIGHT = 0.9;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)}MB`;
const word = (ok: boolean): 'pass' | 'fail' => (ok ? 'pass' : 'fail');
const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits;
const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : round(part / whole, 4));

const memoryCheck = () => {
  const { usedBytes, limitBytes } = memoryUse();
  const share = usedBytes / limitBytes;
  const details = { used: megabytes(usedBytes), limit: megabytes(limitBytes), percentage: round(share * 100) };
  return { status: word(share < MEMORY_TIGHT), details };
};

const securityCheck = (stats: FrontStats) => ({
  // The front refuses to listen where its checks could not hold.
  status: word(true),
  details: {
    auth_tokens_configured: stats.auth.configured,
    rate_limiting_enabled: stats.rateLimit !== undefined,
    rate_limiting_degraded: stats.rateLimit?.shared === 'degraded',
    cors_enabled: stats.cors.allowedOrigins.length > 0,
    headers_enabled: stats.securityHeaders,
    tls_enabled: stats.tls,
  },
});

/** Milliseconds; null until there was a request. */
const performanceCheck = ({ recent, connections }: FrontStats) => ({
  p50: recent.p50,
  p95: recent.p95,
  p99: recent.p99,
  errorRate: shareOf(recent.errors, recent.count),
  connections,
});

/** Seed 002 "Security Metrics": its members, and beside them what the limits do right now. */
const securityMetrics = ({ audit, auth, rateLimit, cors, inFlight }: FrontStats) => ({
  audit: {
    totalEvents: audit.events,
    failedAuthentications: auth.failures,
    rateLimitViolations: (rateLimit?.blocked ?? 0) + auth.blocked,
  },
  auth: {
    activeTokens: auth.active,
    totalAttempts: auth.attempts,
    successRate: auth.attempts === 0 ? 1 : shareOf(auth.attempts - auth.failures, auth.attempts),
    blockedAttempts: auth.blocked,
  },
  rateLimit: {
    activeRequests: inFlight,
    blockedRequests: rateLimit?.blocked ?? 0,
    config:
      rateLimit === undefined
        ? null
        : {
            requestsPerMinute: round((rateLimit.rule.rate * 60_000) / rateLimit.rule.windowMs, 3),
            burstLimit: rateLimit.rule.burst,
          },
    shared: rateLimit?.shared ?? 'off',
    degraded: rateLimit?.shared === 'degraded',
    adaptive: { slowed: rateLimit?.slowed ?? false, eventLoopDelayP99Ms: round(rateLimit?.loopDelayP99Ms ?? 0) },
  },
  cors: { allowedOrigins: cors.allowedOrigins, preflightRequests: cors.preflights },
});

/** `GET /metrics` in the text format of Prometheus; its scope says who may see it. */
export const metricsRoute = (stats: (() => FrontStats) | undefined, scope: Route['scope']): Route => ({
  method: 'GET',
  path: '/metrics',
  scope,
  handler: (context) => ({
    kind: 'text',
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    body: prometheusText(stats?.() ?? context.stats(), memoryUse()),
  }),
});

/** `/health`, `/security/metrics` (seed 002) and `/metrics`: for callers with a token, every figure measured. */
export const healthRoutes = (deps: HealthDeps): readonly Route[] => {
  const { clock, version } = deps;
  const started = clock.monotonic();
  const health = async (context: Parameters<Route['handler']>[0]): Promise<Reply> => {
    const folder = await deps.openspecDir();
    const [accessible, writable] = await Promise.all([isReadable(folder), isWritable(folder)]);
    const available = Object.keys(TOOLS);
    const stats = context.stats();
    const path = deps.shownPath(folder, deps.isLocal(context));
    const checks = {
      filesystem: { status: word(accessible && writable), details: { accessible, writable, path } },
      tools: { status: word(available.length > 0), details: { available, count: available.length } },
      memory: memoryCheck(),
      security: securityCheck(stats),
      performance: performanceCheck(stats),
    };
    const well = [checks.filesystem, checks.tools, checks.memory].every(({ status }) => status === 'pass');
    const body = {
      status: well ? 'healthy' : 'unhealthy',
      timestamp: toIso(clock.now()),
      uptime: Math.floor((clock.monotonic() - started) / 1000),
      version,
      checks,
    };
    return { kind: 'json', status: well ? 200 : 503, body };
  };
  return [
    { method: 'GET', path: '/health', scope: 'read', handler: health },
    {
      method: 'GET',
      path: '/security/metrics',
      scope: 'read',
      handler: (context) => ({ kind: 'json', body: { success: true, data: securityMetrics(context.stats()) } }),
    },
    metricsRoute(undefined, 'read'),
  ];
};
