import { verdictOf, type Clock, type Limiter, type LimitRule, type Verdict } from '@cloutagent/kit';
import type { Redis } from 'ioredis';
import type { Log } from './types.ts';

/** A limiter that several processes share; decides from its own memory while they cannot. */
export interface SharedLimiter {
  take(key: string, speed: number): Promise<Verdict>;
  /** Redis does not answer: the limit holds for each process by itself. */
  degraded(): boolean;
  close(): void;
}

/** Longest wait for Redis; with the rest of the way a decision stays under 150 ms. */
const COMMAND_MS = 100;
/** While Redis is away one request in this time asks again, the others do not wait. */
const PROBE_EVERY_MS = 1000;
const PREFIX = 'cloutagent:limit:';

/**
 * The limiter of kit on the clock of Redis, so that no process's clock counts. A bucket is forgotten when it is empty.
 * Numbers go back as text: Redis would cut their fractions off.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local burst, per_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('GET', KEYS[1])
local level = 0
if held then
  local was, at = string.match(held, '^(%S+) (%S+)$')
  if was then level = math.max(0, tonumber(was) - math.max(0, now - tonumber(at)) * per_ms) end
end
local allowed = 0
if level + 1 <= burst + 1e-9 then
  allowed = 1
  level = level + 1
end
redis.call('SET', KEYS[1], string.format('%.17g %.17g', level, now), 'PX', math.ceil(level / per_ms) + 1000)
return {allowed, string.format('%.17g', level)}
`;

const parse = (reply: unknown): { readonly allowed: boolean; readonly level: number } => {
  const [allowed, level] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  const value = Number(level);
  if ((allowed !== 0 && allowed !== 1) || !Number.isFinite(value)) throw new Error('unexpected answer of Redis');
  return { allowed: allowed === 1, level: value };
};

/**
 * Shares `rule` over the Redis at `url`. `local` follows along and takes over when Redis is lost.
 * Connecting goes on in the background, for ever.
 */
export const openSharedLimiter = (options: {
  readonly url: string;
  readonly rule: LimitRule;
  readonly local: Limiter;
  readonly clock: Clock;
  readonly log: Log;
}): SharedLimiter => {
  const { rule, local, clock, log } = options;
  // Until the first answer it is not known to be there.
  let lost = true;
  let quiet = true;
  let probeAt = -Infinity;
  const note = (now: boolean, error?: unknown): void => {
    if (now !== lost || (now && quiet)) {
      quiet = false;
      const reason = error instanceof Error ? { reason: error.message } : {};
      if (now) log('warn', 'rate limits are not shared: Redis is lost', reason);
      else log('info', 'rate limits are shared');
    }
    lost = now;
  };
  let redis: Redis | undefined;
  let closed = false;
  const connect = async (): Promise<void> => {
    // Loaded on first use: most servers run alone.
    const { Redis } = await import('ioredis');
    if (closed) return;
    redis = new Redis(options.url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_MS,
      connectTimeout: 500,
      retryStrategy: (times) => Math.min(times * 100, 2000),
    });
    redis.on('error', (error) => note(true, error));
    redis.on('close', () => note(true));
    redis.on('ready', () => {
      probeAt = -Infinity;
    });
  };
  connect().catch((error: unknown) => note(true, error));
  return {
    async take(key, speed) {
      const now = clock.monotonic();
      if (redis?.status !== 'ready' || (lost && now < probeAt)) return local.take(key, speed);
      if (lost) probeAt = now + PROBE_EVERY_MS;
      try {
        const perMs = (rule.rate / rule.windowMs) * speed;
        const { allowed, level } = parse(await redis.eval(SCRIPT, 1, PREFIX + key, rule.burst, perMs));
        note(false);
        local.put(key, level);
        return verdictOf(rule, level, allowed, speed);
      } catch (error) {
        probeAt = clock.monotonic() + PROBE_EVERY_MS;
        note(true, error);
        return local.take(key, speed);
      }
    },
    degraded: () => lost,
    close() {
      closed = true;
      redis?.disconnect();
    },
  };
};
