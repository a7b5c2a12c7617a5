import type { Clock } from './clock.ts';

/** Opens after `threshold` failures in a row, for `openMs`; then one call at a time may probe. */
export interface CircuitRule {
  readonly threshold: number;
  readonly openMs: number;
}

/** `success` and `failure` speak about the other side; `void` says nothing, as when the caller gave up by itself. */
export type CircuitOutcome = 'success' | 'failure' | 'void';

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface Circuit {
  state(): CircuitState;
  /** The right to make one call, ended exactly once; or how long to wait, 0 while a probe is under way. */
  enter(): { readonly end: (outcome: CircuitOutcome) => void } | { readonly retryAfterMs: number };
}

/** Keeps calls from something that keeps failing. Time is monotonic: a wall clock that jumps neither opens nor holds it. */
export const openCircuit = (rule: CircuitRule, clock: Clock): Circuit => {
  let failures = 0;
  let openedAt: number | undefined;
  let probing = false;
  // What a call says that began before the circuit changed is about another time.
  let epoch = 0;

  const waitMs = (): number =>
    openedAt === undefined ? 0 : Math.max(0, Math.ceil(openedAt + rule.openMs - clock.monotonic()));

  const open = (): void => {
    openedAt = clock.monotonic();
    failures = 0;
    epoch += 1;
  };

  const close = (): void => {
    openedAt = undefined;
    failures = 0;
    epoch += 1;
  };

  return {
    state: () => (openedAt === undefined ? 'closed' : waitMs() > 0 ? 'open' : 'half-open'),
    enter: () => {
      const wait = waitMs();
      const probe = openedAt !== undefined;
      if (wait > 0 || (probe && probing)) return { retryAfterMs: wait };
      if (probe) probing = true;
      const begun = epoch;
      let ended = false;
      return {
        end: (outcome) => {
          if (ended) return;
          ended = true;
          if (probe) {
            probing = false;
            if (outcome === 'success') close();
            else if (outcome === 'failure') open();
            return;
          }
          if (begun !== epoch || outcome === 'void') return;
          if (outcome === 'success') failures = 0;
          else {
            failures += 1;
            if (failures >= rule.threshold) open();
          }
        },
      };
    },
  };
};
