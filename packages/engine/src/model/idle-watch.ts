import type { Clock } from '@cloutagent/kit';

export interface CallLimits {
  /** Milliseconds without a byte. */
  readonly idleMs: number;
  /** Milliseconds of the whole call, without what its reader took. */
  readonly timeoutMs: number;
}

export interface CallWatch {
  readonly signal: AbortSignal;
  /** Bytes arrived. */
  touch(): void;
  /** The reader is busy: silence does not count. */
  pause(): void;
  /** The reader waits for more. */
  resume(): void;
  /** Which limit ended the call. */
  expired(): keyof CallLimits | undefined;
  end(): void;
}

/** Aborts `signal` when the server is silent or the call is too long: the SDK's own timeout covers the headers only. */
export const watchCall = (clock: Clock, limits: CallLimits, outer: AbortSignal): CallWatch => {
  const inner = new AbortController();
  const timer = new AbortController();
  let seen = clock.monotonic();
  let deadline = seen + limits.timeoutMs;
  let pausedAt: number | undefined;
  let expired: keyof CallLimits | undefined;
  const onAbort = (): void => inner.abort(outer.reason);
  if (outer.aborted) onAbort();
  else outer.addEventListener('abort', onAbort, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const now = clock.monotonic();
      const idle = pausedAt === undefined ? seen + limits.idleMs - now : limits.idleMs;
      const whole = pausedAt === undefined ? deadline - now : limits.timeoutMs;
      if (idle <= 0 || whole <= 0) {
        expired = whole <= 0 ? 'timeoutMs' : 'idleMs';
        inner.abort();
        return;
      }
      await clock.sleep(Math.min(idle, whole), timer.signal);
    }
  };
  // Ends by `end()`, which aborts its sleep.
  void watch().catch(() => undefined);
  return {
    signal: inner.signal,
    touch: () => {
      seen = clock.monotonic();
    },
    pause: () => {
      pausedAt ??= clock.monotonic();
    },
    resume: () => {
      const now = clock.monotonic();
      if (pausedAt !== undefined) deadline += now - pausedAt;
      pausedAt = undefined;
      seen = now;
    },
    expired: () => expired,
    end: () => {
      timer.abort(OVER);
      outer.removeEventListener('abort', onAbort);
    },
  };
};

/** One for all: an error costs its stack. */
const OVER = new Error('the call is over');
