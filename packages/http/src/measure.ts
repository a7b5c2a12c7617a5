import type { Clock } from '@cloutagent/kit';
import type { Latency, RouteStats } from './stats.ts';

/** Buckets grow by this factor, eight to a doubling, so a figure is at most 5 % from the truth. */
const GROWTH = 2 ** (1 / 8);
const SMALLEST_MS = 0.01;
/** Up to 2.5 hours; what takes longer is counted there. */
const BUCKETS = 240;
const WINDOW_MS = 5 * 60_000;

interface Window {
  readonly counts: Uint32Array;
  total: number;
  errors: number;
}

const emptyWindow = (): Window => ({ counts: new Uint32Array(BUCKETS), total: 0, errors: 0 });

/** The bucket of a time. */
export const bucketOf = (ms: number): number =>
  ms <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms / SMALLEST_MS) * 8));

/** Middle of a bucket, three digits. */
const msOf = (bucket: number): number => Number((SMALLEST_MS * GROWTH ** (bucket - 0.5)).toPrecision(3));

/** Times of one kind of request in two windows, of which the older is dropped when the younger is full. */
export interface Meter {
  /** @param at monotonic time of the end */
  record(bucket: number, failed: boolean, at: number): void;
  recent(): Latency;
}

export const openMeter = (clock: Clock): Meter => {
  let current = emptyWindow();
  let previous = emptyWindow();
  let since = clock.monotonic();
  const turn = (now: number): void => {
    const age = now - since;
    if (age < WINDOW_MS) return;
    previous = age < 2 * WINDOW_MS ? current : emptyWindow();
    current = emptyWindow();
    since += Math.floor(age / WINDOW_MS) * WINDOW_MS;
  };
  return {
    record(bucket, failed, at) {
      turn(at);
      current.counts[bucket] = (current.counts[bucket] ?? 0) + 1;
      current.total += 1;
      if (failed) current.errors += 1;
    },
    recent() {
      turn(clock.monotonic());
      const count = current.total + previous.total;
      const quantile = (share: number): number | null => {
        if (count === 0) return null;
        let left = Math.ceil(share * count);
        for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
          left -= (current.counts[bucket] ?? 0) + (previous.counts[bucket] ?? 0);
          if (left <= 0) return msOf(bucket);
        }
        return null;
      };
      const errors = current.errors + previous.errors;
      return { count, errors, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
    },
  };
};

/** Times and errors of all requests, and of each route. */
export interface Measures {
  /** `route` is a declared path, so their number is bounded by the program. */
  record(method: string, route: string, ms: number, failed: boolean): void;
  total(): { readonly requests: number; readonly errors: number; readonly recent: Latency };
  routes(): readonly RouteStats[];
}

interface Counts {
  readonly method: string;
  readonly route: string;
  count: number;
  errors: number;
  sumMs: number;
  readonly meter: Meter;
}

export const openMeasures = (clock: Clock): Measures => {
  const all = openMeter(clock);
  const byMethod = new Map<string, Map<string, Counts>>();
  let requests = 0;
  let errors = 0;
  const countsOf = (method: string, route: string): Counts => {
    let routes = byMethod.get(method);
    if (routes === undefined) byMethod.set(method, (routes = new Map<string, Counts>()));
    let counts = routes.get(route);
    if (counts === undefined) {
      counts = { method, route, count: 0, errors: 0, sumMs: 0, meter: openMeter(clock) };
      routes.set(route, counts);
    }
    return counts;
  };
  return {
    record(method, route, ms, failed) {
      const at = clock.monotonic();
      const bucket = bucketOf(ms);
      requests += 1;
      if (failed) errors += 1;
      all.record(bucket, failed, at);
      const entry = countsOf(method, route);
      entry.count += 1;
      if (failed) entry.errors += 1;
      entry.sumMs += ms;
      entry.meter.record(bucket, failed, at);
    },
    total: () => ({ requests, errors, recent: all.recent() }),
    routes: () =>
      [...byMethod.values()].flatMap((routes) =>
        [...routes.values()].map(({ meter, ...rest }) => ({ ...rest, recent: meter.recent() })),
      ),
  };
};
