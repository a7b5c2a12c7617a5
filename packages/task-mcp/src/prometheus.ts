import type { FrontStats, Latency } from '@cloutagent/http';
import type { MemoryUse } from './memory.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

const escape = (value: string): string =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);

const line = (name: string, [labels, value, suffix = '']: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
};

const family = (
  name: string,
  type: 'counter' | 'gauge' | 'summary',
  help: string,
  samples: readonly Sample[],
): string => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => line(name, sample)).join('')}`;

const quantiles = (labels: Labels, { p50, p95, p99 }: Latency): readonly Sample[] =>
  (
    [
      ['0.5', p50],
      ['0.95', p95],
      ['0.99', p99],
    ] as const
  ).map(([quantile, ms]) => [{ ...labels, quantile }, ms === null ? Number.NaN : ms / 1000]);

/** What a front has measured, in the text format 0.0.4 of Prometheus. Quantiles are of the last 5 to 10 minutes. */
export const prometheusText = (stats: FrontStats, memory: MemoryUse): string => {
  const { routes, rateLimit, auth } = stats;
  const labelled = routes.map((route) => ({ route, labels: { method: route.method, route: route.route } }));
  const one = (value: number): readonly Sample[] => [[{}, value]];
  return [
    family(
      'task_mcp_requests_total',
      'counter',
      'Requests by endpoint.',
      labelled.map(({ route, labels }) => [labels, route.count]),
    ),
    family(
      'task_mcp_request_errors_total',
      'counter',
      'Answers of 500 and above by endpoint.',
      labelled.map(({ route, labels }) => [labels, route.errors]),
    ),
    family(
      'task_mcp_request_error_ratio',
      'gauge',
      'Share of errors by endpoint, last 5 to 10 minutes.',
      labelled.map(({ route: { recent }, labels }) => [labels, recent.count === 0 ? 0 : recent.errors / recent.count]),
    ),
    family(
      'task_mcp_request_duration_seconds',
      'summary',
      'Time to the answer, for streams to its first byte.',
      labelled.flatMap(({ route, labels }): Sample[] => [
        ...quantiles(labels, route.recent),
        [labels, route.sumMs / 1000, '_sum'],
        [labels, route.count, '_count'],
      ]),
    ),
    family('task_mcp_requests_in_flight', 'gauge', 'Requests being answered.', one(stats.inFlight)),
    family('task_mcp_connections', 'gauge', 'Open sockets.', one(stats.connections)),
    family('task_mcp_streams', 'gauge', 'Open event streams.', one(stats.streams)),
    family('task_mcp_rate_limit_hits_total', 'counter', 'Requests refused by a rate limit.', [
      [{ limit: 'requests' }, rateLimit?.blocked ?? 0],
      [{ limit: 'logins' }, auth.blocked],
    ]),
    family(
      'task_mcp_rate_limit_degraded',
      'gauge',
      '1 while Redis is lost.',
      one(rateLimit?.shared === 'degraded' ? 1 : 0),
    ),
    family(
      'task_mcp_rate_limit_slowed',
      'gauge',
      '1 while the refill is halved.',
      one(rateLimit?.slowed === true ? 1 : 0),
    ),
    family(
      'task_mcp_event_loop_delay_seconds',
      'gauge',
      'Delay of the event loop, p99.',
      one((rateLimit?.loopDelayP99Ms ?? 0) / 1000),
    ),
    family('task_mcp_auth_attempts_total', 'counter', 'Tokens that were looked at.', one(auth.attempts)),
    family('task_mcp_auth_failures_total', 'counter', 'Tokens that were wrong.', one(auth.failures)),
    family('process_resident_memory_bytes', 'gauge', 'Resident memory.', one(memory.rssBytes)),
    family('nodejs_heap_used_bytes', 'gauge', 'Heap in use.', one(memory.usedBytes)),
    family('nodejs_heap_limit_bytes', 'gauge', 'Largest heap.', one(memory.limitBytes)),
  ].join('');
};
