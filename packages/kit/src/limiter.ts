import type { Clock } from './clock.ts';

/** `rate` requests come back per `windowMs`; `burst` fit at once. In any time t at most burst + rate·t are granted. */
export interface LimitRule {
  readonly rate: number;
  readonly windowMs: number;
  readonly burst: number;
}

export interface Verdict {
  readonly allowed: boolean;
  /** Requests in the bucket, this one included where it was allowed. */
  readonly level: number;
  /** Whole requests that would be allowed right now. */
  readonly remaining: number;
  /** Milliseconds until one more request is allowed; 0 where it is already. */
  readonly retryAfterMs: number;
  /** Milliseconds until the bucket is empty, so that all of `burst` is there again. */
  readonly resetMs: number;
}

/** Levels are sums of fractions; without this the request that comes exactly on time could be refused. */
const ROUNDING = 1e-9;

const perMs = (rule: LimitRule, speed: number): number => (rule.rate / rule.windowMs) * speed;

/** What a bucket of `level` means to the next caller. */
export const verdictOf = (rule: LimitRule, level: number, allowed: boolean, speed = 1): Verdict => ({
  allowed,
  level,
  remaining: Math.max(0, Math.floor(rule.burst - level + ROUNDING)),
  retryAfterMs: Math.max(0, Math.ceil((level + 1 - rule.burst - ROUNDING) / perMs(rule, speed))),
  resetMs: Math.ceil(level / perMs(rule, speed)),
});

interface Bucket {
  level: number;
  at: number;
}

/** Counts by key and says who may pass. */
export interface Limiter {
  /** Counts one request where the bucket has room for it. `speed` scales the refill (0.5 = half). */
  take(key: string, speed?: number): Verdict;
  /** The same without counting. */
  peek(key: string, speed?: number): Verdict;
  /** Takes one counted request back. */
  giveBack(key: string): void;
  /** Sets a level that was counted elsewhere. */
  put(key: string, level: number): void;
  /** Keys with something in their bucket. */
  active(): number;
}

/** An address costs about 200 bytes, so this is 2 MB. */
const MAX_KEYS = 10_000;
/** Looking for empty buckets is linear, so a flood of new keys must not cause it each time. */
const SWEEP_EVERY_MS = 1000;
/** Key that all newcomers share while the table is full: a flood of addresses limits itself and frees nobody. */
const OVERFLOW = '\u0000overflow';

/**
 * Generic cell rate algorithm in its leaky-bucket form (ITU-T I.371): the same verdicts as with a theoretical arrival
 * time, but a change of the rate never hands requests back. Times are monotonic.
 */
export const openLimiter = (rule: LimitRule, clock: Clock, maxKeys = MAX_KEYS): Limiter => {
  const buckets = new Map<string, Bucket>();
  let sweptAt = -Infinity;

  const levelOf = (bucket: Bucket | undefined, now: number, speed: number): number =>
    bucket === undefined ? 0 : Math.max(0, bucket.level - (now - bucket.at) * perMs(rule, speed));

  const sweep = (now: number): void => {
    if (now - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now;
    for (const [key, bucket] of buckets) if (levelOf(bucket, now, 1) <= 0) buckets.delete(key);
  };

  /** The key itself, or the shared one where it is new and there is no place. */
  const placeOf = (key: string, now: number): string => {
    if (buckets.has(key) || buckets.size < maxKeys) return key;
    sweep(now);
    return buckets.size < maxKeys ? key : OVERFLOW;
  };

  return {
    take(key, speed = 1) {
      const now = clock.monotonic();
      const place = placeOf(key, now);
      const bucket = buckets.get(place);
      const level = levelOf(bucket, now, speed);
      const allowed = level + 1 <= rule.burst + ROUNDING;
      const after = allowed ? level + 1 : level;
      if (bucket === undefined) buckets.set(place, { level: after, at: now });
      else {
        bucket.level = after;
        bucket.at = now;
      }
      return verdictOf(rule, after, allowed, speed);
    },
    peek(key, speed = 1) {
      const now = clock.monotonic();
      const level = levelOf(buckets.get(placeOf(key, now)), now, speed);
      return verdictOf(rule, level, level + 1 <= rule.burst + ROUNDING, speed);
    },
    giveBack(key) {
      const bucket = buckets.get(placeOf(key, clock.monotonic()));
      if (bucket !== undefined) bucket.level = Math.max(0, bucket.level - 1);
    },
    put(key, level) {
      const now = clock.monotonic();
      buckets.set(placeOf(key, now), { level, at: now });
    },
    active() {
      const now = clock.monotonic();
      let count = 0;
      for (const bucket of buckets.values()) if (levelOf(bucket, now, 1) > 0) count += 1;
      return count;
    },
  };
};
