import type { Clock } from '@cloutagent/kit';

/** The time that a call may take: it begins again with every sign of progress, and stands still while a person is asked. */
export interface Patience {
  /** Whether the time is over. */
  readonly over: boolean;
  /** The server made progress. */
  renew(): void;
  /** Stops the time until what it gives is called. */
  hold(): () => void;
  end(): void;
}

/** `ms` from each sign of life, `maxMs` in all. */
export const createPatience = (
  clock: Clock,
  { ms, maxMs }: { readonly ms: number; readonly maxMs: number },
  onOver: () => void,
): Patience => {
  let left = ms;
  let total = maxMs;
  let holds = 0;
  let over = false;
  let running: { readonly timer: AbortController; readonly since: number } | undefined;
  const stop = (): void => {
    if (running === undefined) return;
    running.timer.abort();
    const spent = clock.monotonic() - running.since;
    left -= spent;
    total -= spent;
    running = undefined;
  };
  const go = (): void => {
    const timer = new AbortController();
    running = { timer, since: clock.monotonic() };
    clock.sleep(Math.max(0, Math.min(left, total)), timer.signal).then(
      () => {
        over = true;
        onOver();
      },
      () => undefined,
    );
  };
  go();
  return {
    get over() {
      return over;
    },
    renew: () => {
      const counts = running !== undefined;
      stop();
      left = ms;
      if (counts) go();
    },
    hold: () => {
      stop();
      holds += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        holds -= 1;
        if (holds === 0) go();
      };
    },
    end: () => {
      stop();
      // Whoever still holds it lets nothing go on.
      holds = Number.POSITIVE_INFINITY;
    },
  };
};
