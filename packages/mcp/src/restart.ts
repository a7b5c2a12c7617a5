import { retryDelay } from '@cloutagent/kit';

/** Starts again soon after a crash: a killed server is back within a moment. */
const BACKOFF = { attempts: Number.POSITIVE_INFINITY, baseMs: 250, capMs: 30_000 };
/** A crash loop burns a machine: more restarts a minute than this and the server is left alone for the rest of it. */
const MAX_A_MINUTE = 5;
const MINUTE_MS = 60_000;

export type Verdict = { readonly waitMs: number } | { readonly quarantineMs: number };

/** Decides when a server that was lost is started again. `now` is monotonic. */
export interface RestartGuard {
  lost(now: number): Verdict;
  /** Restarts in the last minute. */
  recent(now: number): number;
}

export const createRestartGuard = (random: () => number): RestartGuard => {
  let restarts: number[] = [];
  const within = (now: number): number[] => restarts.filter((at) => now - at < MINUTE_MS);
  return {
    lost(now) {
      restarts = within(now);
      const [oldest] = restarts;
      if (oldest !== undefined && restarts.length >= MAX_A_MINUTE) return { quarantineMs: oldest + MINUTE_MS - now };
      const waitMs = restarts.length === 0 ? 0 : retryDelay(BACKOFF, restarts.length, random());
      restarts.push(now + waitMs);
      return { waitMs };
    },
    recent: (now) => within(now).length,
  };
};
