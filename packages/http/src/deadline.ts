import { CloutError } from '@cloutagent/contract';
import { LinkedList, type Clock } from '@cloutagent/kit';

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
  /** @returns takes it out again */
  add(item: Timed): () => void;
  /** Forgets all, so that no timer keeps the process alive. */
  close(): void;
}

export const timeoutError = (limitMs: number): CloutError =>
  new CloutError('REQUEST_TIMEOUT', `Request timed out after ${limitMs / 1000} seconds`, {
    details: { timeoutMs: limitMs },
  });

export const openDeadlines = (clock: Clock, limitMs: number): Deadlines => {
  let items = new LinkedList<Timed>();
  let stop: AbortController | undefined;

  const watch = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const now = clock.monotonic();
      let next = items.first;
      while (next !== undefined && !(next.timed && next.startedMs + limitMs > now)) {
        items.shift();
        if (next.timed) next.expire(timeoutError(limitMs));
        next = items.first;
      }
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
      const leave = items.add(item);
      if (stop === undefined) {
        stop = new AbortController();
        void watch(stop.signal);
      }
      return leave;
    },
    close() {
      items = new LinkedList<Timed>();
      stop?.abort(new Error('closed'));
      stop = undefined;
    },
  };
};
