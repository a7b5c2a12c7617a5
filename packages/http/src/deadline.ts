import { CloutError } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';

/** Something that began and must end in time. */
export interface Timed {
  readonly startedMs: number;
  /** false: has no limit (any more). */
  timed: boolean;
  /** Called once when the time is over. */
  expire(error: CloutError): void;
}

/**
 * One timer for all requests: they have the same limit, so the oldest is always the next to expire.
 * It runs only while there is something to watch.
 */
export interface Deadlines {
  add(item: Timed): void;
  delete(item: Timed): void;
  /** Forgets all, so that no timer keeps the process alive. */
  close(): void;
}

export const timeoutError = (limitMs: number): CloutError =>
  new CloutError('REQUEST_TIMEOUT', `Request timed out after ${limitMs / 1000} seconds`, {
    details: { timeoutMs: limitMs },
  });

export const openDeadlines = (clock: Clock, limitMs: number): Deadlines => {
  const items = new Set<Timed>();
  let stop: AbortController | undefined;

  const watch = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const now = clock.monotonic();
      for (const item of items) {
        if (item.timed && item.startedMs + limitMs > now) break;
        items.delete(item);
        if (item.timed) item.expire(timeoutError(limitMs));
      }
      const [next] = items;
      if (next === undefined) {
        stop = undefined;
        return;
      }
      try {
        // Timers may fire a fraction early; a whole millisecond more keeps this from spinning.
        await clock.sleep(Math.max(1, Math.ceil(next.startedMs + limitMs - now)), signal);
      } catch {
        return;
      }
    }
  };

  return {
    add(item) {
      items.add(item);
      if (stop !== undefined) return;
      stop = new AbortController();
      void watch(stop.signal);
    },
    delete(item) {
      items.delete(item);
    },
    close() {
      items.clear();
      stop?.abort(new Error('closed'));
      stop = undefined;
    },
  };
};
