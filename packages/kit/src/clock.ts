/** Time as an argument: domain code never asks the system itself. */
export interface Clock {
  /** Milliseconds since 1970, UTC; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never jumps back. For durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

let written = Number.NaN;
let iso = '';

/** Milliseconds since 1970 → ISO 8601 in UTC. */
export const toIso = (ms: number): string => {
  // A busy server asks many times for the same millisecond.
  if (ms !== written) {
    iso = new Date(ms).toISOString();
    written = ms;
  }
  return iso;
};
