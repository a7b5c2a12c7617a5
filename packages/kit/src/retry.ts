/** When to try again: `attempts` in all, the wait doubling from `baseMs` up to `capMs`, with full jitter. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Milliseconds to wait before attempt `next` (1 = the first repetition). A server's `retryAfterMs` is a floor,
 * capped at `capMs` so that nobody sleeps for an hour inside a call.
 * @param random value in [0, 1)
 */
export const retryDelay = (policy: RetryPolicy, next: number, random: number, retryAfterMs?: number): number => {
  const jittered = random * Math.min(policy.capMs, policy.baseMs * 2 ** (next - 1));
  return Math.round(Math.min(policy.capMs, Math.max(jittered, retryAfterMs ?? 0)));
};
