import { CloutError } from '@cloutagent/contract';
import { openLimiter, type Clock, type Verdict } from '@cloutagent/kit';
import { loopDelay, watchLoad } from './load.ts';
import type { Head } from './head.ts';
import { openSharedLimiter } from './shared-limiter.ts';
import type { GateStats } from './stats.ts';
import type { Log, RateLimitOptions } from './types.ts';

/** Bounds how often one caller may ask (seed 002 "Rate Limiting Strategy"). */
export interface Gate {
  /** Counts a request and shows what is left; RATE_LIMIT_EXCEEDED where there is nothing. */
  admit(head: Head, key: string): Promise<void> | undefined;
  /** Shows what is left without counting. */
  show(head: Head, key: string): void;
  stats(): GateStats;
  close(): void;
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);

const spanOf = (ms: number): string => {
  if (ms === 60_000) return '1 minute';
  return ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${ms / 1000} seconds`;
};

/**
 * A token has its own bucket wherever it comes from; callers without one share that of their address.
 * With `redisUrl` the buckets are shared between processes.
 */
export const openGate = (options: RateLimitOptions, deps: { readonly clock: Clock; readonly log: Log }): Gate => {
  const { clock, log } = deps;
  const { rate, windowMs, burst } = options;
  const rule = { rate, windowMs, burst };
  const local = openLimiter(rule, clock);
  const load = watchLoad(clock, options.loopDelay ?? loopDelay());
  const shared =
    options.redisUrl === undefined ? undefined : openSharedLimiter({ url: options.redisUrl, rule, local, clock, log });
  let blocked = 0;

  const setHeaders = (head: Head, verdict: Verdict): void => {
    head.set('X-RateLimit-Limit', String(rate));
    head.set('X-RateLimit-Remaining', String(verdict.remaining));
    head.set('X-RateLimit-Reset', String(seconds(clock.now() + verdict.resetMs)));
    head.set('X-RateLimit-Retry-After', String(seconds(verdict.retryAfterMs)));
    head.set('X-RateLimit-Window', String(seconds(windowMs)));
  };

  const settle = (head: Head, verdict: Verdict): void => {
    setHeaders(head, verdict);
    if (verdict.allowed) return;
    blocked += 1;
    const retryAfter = Math.max(1, seconds(verdict.retryAfterMs));
    throw new CloutError('RATE_LIMIT_EXCEEDED', 'Rate limit exceeded', {
      hint: `Try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`,
      retryAfter,
      details: { limit: rate, window: spanOf(windowMs), current: Math.ceil(verdict.level) + 1 },
    });
  };

  return {
    admit(head, key) {
      const speed = load.speed();
      if (shared !== undefined) return shared.take(key, speed).then((verdict) => settle(head, verdict));
      settle(head, local.take(key, speed));
      return undefined;
    },
    show(head, key) {
      setHeaders(head, local.peek(key, load.speed()));
    },
    stats: () => ({
      rule,
      active: local.active(),
      blocked,
      shared: shared === undefined ? 'off' : shared.degraded() ? 'degraded' : 'redis',
      slowed: load.speed() < 1,
      loopDelayP99Ms: load.delayP99Ms(),
    }),
    close() {
      load.close();
      shared?.close();
    },
  };
};
