import type { Clock } from './clock.ts';

/** When to try again: `attempts` in all, the wait growing from `baseMs` up to `capMs`, with full jitter. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
  /** What the wait grows by each time; 2. */
  readonly factor?: number;
}

/**
 * Milliseconds to wait before attempt `next` (1 = the first repetition). A server's `retryAfterMs` is a floor,
 * capped at `capMs` so that nobody sleeps for an hour inside a call.
 * @param random value in [0, 1)
 */
export const retryDelay = (policy: RetryPolicy, next: number, random: number, retryAfterMs?: number): number => {
  const jittered = random * Math.min(policy.capMs, policy.baseMs * (policy.factor ?? 2) ** (next - 1));
  return Math.round(Math.min(policy.capMs, Math.max(jittered, retryAfterMs ?? 0)));
};

/** How many repetitions all calls together may make. */
export interface RetryBudgetRule {
  /** Repetitions that each call earns; 0.09 gives at most a tenth more calls, because repetitions earn too. */
  readonly ratio: number;
  /** Earned repetitions that are kept at most. */
  readonly cap: number;
  /** Repetitions that are there beside them, so that a quiet process may repeat at all; one comes back per `refillMs`. */
  readonly reserve: number;
  readonly refillMs: number;
}

export interface RetryBudget {
  /** A call was made. */
  earn(): void;
  /** Takes one repetition; false where none is left, so that an outage is not answered with a storm. */
  take(): boolean;
}

export const openRetryBudget = (rule: RetryBudgetRule, clock: Clock): RetryBudget => {
  let earned = 0;
  let reserve = rule.reserve;
  let refilledAt = clock.monotonic();
  return {
    earn: () => {
      earned = Math.min(rule.cap, earned + rule.ratio);
    },
    take: () => {
      const now = clock.monotonic();
      reserve = Math.min(rule.reserve, reserve + (now - refilledAt) / rule.refillMs);
      refilledAt = now;
      if (earned >= 1) earned -= 1;
      else if (reserve >= 1) reserve -= 1;
      else return false;
      return true;
    },
  };
};
