import { CloutError } from '@cloutagent/contract';
import { openLimiter, type Clock } from '@cloutagent/kit';

/** Holds off whoever tries tokens out. Lives in this process's memory only, so nothing can make it fail open. */
export interface LoginGuard {
  /**
   * Says whether a token of this address may be looked at, and counts it; RATE_LIMIT_EXCEEDED otherwise.
   * @param digest of the token; the guard never sees a token itself
   * @returns whether the two are known together, so that nothing was counted
   */
  enter(address: string, digest: string): boolean;
  /** The token was good: it is not counted, now and later. */
  pass(address: string, digest: string): void;
  /** The token was wrong, but nobody was turned away for it: later requests with the same are not counted. */
  tolerate(address: string, digest: string): void;
  /** The token was wrong. */
  fail(): void;
  /** Tokens looked at, those of them that were wrong, and requests whose token was not looked at any more. */
  stats(): { readonly attempts: number; readonly failures: number; readonly blocked: number };
}

/** Five at once and five a minute are at most ten in any minute. */
const RULE = { rate: 5, windowMs: 60_000, burst: 5 };
/** Pairs of address and digest that are known; the oldest is forgotten first and merely counted again. */
const MAX_KNOWN = 2000;

export const openLoginGuard = (clock: Clock): LoginGuard => {
  const limiter = openLimiter(RULE, clock);
  const known = new Set<string>();
  let attempts = 0;
  let failures = 0;
  let blocked = 0;
  const pairOf = (address: string, digest: string): string => `${address} ${digest}`;
  const remember = (pair: string): void => {
    known.add(pair);
    for (const oldest of known) {
      if (known.size <= MAX_KNOWN) return;
      known.delete(oldest);
    }
  };
  return {
    enter(address, digest) {
      if (known.has(pairOf(address, digest))) {
        attempts += 1;
        return true;
      }
      const verdict = limiter.take(address);
      if (!verdict.allowed) {
        blocked += 1;
        throw new CloutError('RATE_LIMIT_EXCEEDED', 'Too many wrong tokens from this address', {
          hint: 'Wait, then use the right token',
          retryAfter: Math.max(1, Math.ceil(verdict.retryAfterMs / 1000)),
        });
      }
      attempts += 1;
      return false;
    },
    pass(address, digest) {
      const pair = pairOf(address, digest);
      if (known.has(pair)) return;
      limiter.giveBack(address);
      remember(pair);
    },
    tolerate(address, digest) {
      remember(pairOf(address, digest));
    },
    fail() {
      failures += 1;
    },
    stats: () => ({ attempts, failures, blocked }),
  };
};
