import type { Clock } from '@cloutagent/kit';

/** Waits of one stream. */
export interface Pace {
  /** Resolves `ms` after the wait before it was due, so that the pace holds on average; rejects when the client goes. */
  wait(ms: number): Promise<void>;
}

/** One timer for the waits of all streams: a hundred streams at forty tokens a second would be 4,000 timers a second. */
export interface Pacer {
  open(signal: AbortSignal): Pace;
}

/** Fine enough for a pace of tokens; 200 wakes a second cost less than a hundredth of a core, and none while nobody waits. */
const TICK_MS = 5;

interface Waiter {
  readonly dueMs: number;
  readonly resolve: () => void;
}

export const createPacer = (clock: Clock): Pacer => {
  const waiters = new Set<Waiter>();
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    while (waiters.size > 0) {
      await clock.sleep(TICK_MS);
      const now = clock.monotonic();
      for (const waiter of waiters) {
        if (waiter.dueMs > now) continue;
        waiters.delete(waiter);
        waiter.resolve();
      }
    }
    running = false;
  };

  return {
    open(signal) {
      let dueMs = clock.monotonic();
      let leave: () => void = () => undefined;
      // One listener for the stream, not one for each wait.
      signal.addEventListener('abort', () => leave(), { once: true });
      return {
        async wait(ms) {
          // A client that read slowly gets no burst afterwards.
          dueMs = Math.max(dueMs, clock.monotonic() - ms) + ms;
          await new Promise<void>((resolve) => {
            const waiter = { dueMs, resolve };
            leave = () => {
              waiters.delete(waiter);
              resolve();
            };
            if (signal.aborted) leave();
            else waiters.add(waiter);
            if (!running) void run();
          });
          signal.throwIfAborted();
        },
      };
    },
  };
};
