import { LinkedList, type Clock } from '@cloutagent/kit';

/** Waits for work, but not for long. One timer for all that wait; none while nobody does. */
export interface Patience {
  /** Resolves or rejects as the work does; with undefined when it has taken too long. */
  wait<T extends object>(work: Promise<T>): Promise<T | undefined>;
}

interface Waiting {
  readonly until: number;
  readonly giveUp: () => void;
}

/** Reason of an end that is none: made once, since an abort without one makes an error with its stack. */
const NOBODY_WAITS = new Error('Nobody waits any more');

export const openPatience = (clock: Clock, ms: number): Patience => {
  // In the order in which they give up.
  const waiting = new LinkedList<Waiting>();
  let timer: AbortController | undefined;
  let arming = false;

  const watch = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const now = clock.monotonic();
      let next = waiting.first;
      while (next !== undefined && next.until <= now) {
        waiting.shift();
        next.giveUp();
        next = waiting.first;
      }
      if (next === undefined) {
        timer = undefined;
        return;
      }
      try {
        await clock.sleep(Math.max(1, next.until - now), signal);
      } catch {
        return;
      }
    }
  };

  /** Most work is done before the loop goes round, and then costs no timer. */
  const arm = (): void => {
    arming = false;
    if (waiting.size === 0 || timer !== undefined) return;
    timer = new AbortController();
    void watch(timer.signal);
  };

  const disarm = (): void => {
    if (waiting.size > 0) return;
    timer?.abort(NOBODY_WAITS);
    timer = undefined;
  };

  return {
    wait: (work) =>
      new Promise((resolve, reject) => {
        const item = { until: clock.monotonic() + ms, giveUp: () => resolve(undefined) };
        const leave = waiting.add(item);
        if (timer === undefined && !arming) {
          arming = true;
          setImmediate(arm);
        }
        const settle = (): void => {
          if (leave()) disarm();
        };
        work.then(settle, settle);
        work.then(resolve, reject);
      }),
  };
};
