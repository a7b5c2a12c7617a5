import { CloutError, codeOf, showUsd, type BudgetShortage } from '@cloutagent/contract';
import { FIRST_CALL_TOKENS } from '../model/bound.ts';
import { boundOf, outputTokensFor, type BoundTerms, type Price } from '../model/price.ts';

/** Shortest answer worth paying for: a tool call with a path and a few lines fits. */
export const MIN_OUTPUT_TOKENS = 512;
/** First allowance of a call, unless a twentieth of the run's limit pays more. */
const FIRST_ALLOWANCE = 1024;
const SHARE_OF_LIMIT = 20;

export interface Reservation {
  readonly maxTokens: number;
  readonly amountNanoUsd: number;
}

export interface Call extends BoundTerms {
  /** Wished `max_tokens`. */
  readonly outputTokens: number;
  /** A shorter answer is of no use, because it was already cut at less. */
  readonly exact: boolean;
}

/** Rounded up to a hundredth of a cent, so that an amount that is named as enough is enough. */
const showAtLeast = (nanoUsd: number): string => showUsd(Math.ceil(nanoUsd / 100_000) * 100_000);

/** What the call is reserved at when nothing stands in its way: its bound. */
export const wholeCall = (call: Call): Reservation => ({
  maxTokens: call.outputTokens,
  amountNanoUsd: boundOf(call, call.outputTokens),
});

/** What a budget must hold at least for the first call with so many bytes to be sent. */
export const leastCallBound = (price: Price, requestBytes: number, cacheWrites?: '5m' | '1h'): number =>
  boundOf({ price, inputTokens: requestBytes + FIRST_CALL_TOKENS, cacheWrites }, FIRST_ALLOWANCE);

/** Most that so many calls of a loop cost which begins with so many bytes, if each answer is as long as it may be. */
export const loopBound = (
  price: Price,
  requestBytes: number,
  calls: number,
  maxTokens: number,
  cacheWrites?: '5m' | '1h',
): number =>
  calls *
  boundOf({ price, inputTokens: requestBytes + FIRST_CALL_TOKENS + (calls - 1) * maxTokens, cacheWrites }, maxTokens);

/** `max_tokens` to begin with: small, because it is reserved in full; an answer that is cut is asked again with the double. */
export const firstAllowance = (price: Price, limitNanoUsd: number | null, maxTokens: number): number => {
  if (limitNanoUsd === null) return maxTokens;
  const share = outputTokensFor({ price, inputTokens: 0 }, limitNanoUsd / SHARE_OF_LIMIT);
  return Math.min(maxTokens, Math.max(FIRST_ALLOWANCE, share));
};

/** The call with an answer as short as `freeNanoUsd` pays for; undefined where that is too short to be worth it. */
export const clampCall = (call: Call, freeNanoUsd: number): Reservation | undefined => {
  const fitting = Math.min(call.outputTokens, outputTokensFor(call, freeNanoUsd));
  if (fitting < (call.exact ? call.outputTokens : Math.min(MIN_OUTPUT_TOKENS, call.outputTokens))) return undefined;
  return { maxTokens: fitting, amountNanoUsd: boundOf(call, fitting) };
};

/** Least that the call takes, however short its answer may be made. */
export const leastOf = (call: Call): number =>
  boundOf(call, call.exact ? call.outputTokens : Math.min(MIN_OUTPUT_TOKENS, call.outputTokens));

/** What a store said when it refused a reservation; undefined for any other error. */
export const shortageOf = (error: unknown): BudgetShortage | undefined =>
  codeOf(error) === 'BUDGET_EXHAUSTED' && error instanceof CloutError
    ? // The store writes these details.
      (error.details as unknown as BudgetShortage | undefined)
    : undefined;

const PERIOD = { day: 'today', week: 'this week', month: 'this month', lifetime: 'in all' } as const;

const LIMIT_OPTION = { day: '--daily', week: '--weekly', month: '--monthly', lifetime: '--lifetime' } as const;

/** The error that pauses a run: which budget, what is left, what the next call needs, and the limit that would do. */
export const exhausted = (shortage: BudgetShortage, neededNanoUsd: number): CloutError => {
  const { scope, id, period, limitNanoUsd, spentNanoUsd, heldNanoUsd } = shortage;
  const enough = showAtLeast(spentNanoUsd + heldNanoUsd + neededNanoUsd);
  const left = showUsd(Math.max(0, limitNanoUsd - spentNanoUsd - heldNanoUsd));
  const over = period === 'lifetime' ? '' : ` ${PERIOD[period]}`;
  // Ids of shared budgets begin with their project.
  const name = id.replace(/:simulated$/u, '').replace(/^.*\//u, '');
  const named = scope === 'change' || scope === 'user' ? ` --${scope} ${name}` : scope === 'global' ? ' --global' : '';
  const simulated = id.endsWith(':simulated') ? ' --simulate' : '';
  const raise = {
    run: `Raise the run's budget to at least ${enough} and resume: clout runs resume RUN --budget USD`,
    task: `The plan gave ${name} no more. Raise its budget to at least ${enough} and resume: clout runs resume RUN --node ${name} --budget USD`,
  };
  const hint =
    scope === 'run' || scope === 'task'
      ? raise[scope]
      : `Raise the ${scope}'s budget to at least ${enough}, which resumes the run: clout cost limit ${LIMIT_OPTION[period]} USD${named}${simulated}`;
  return new CloutError(
    'BUDGET_EXHAUSTED',
    `The next call may cost ${showAtLeast(neededNanoUsd)}, and ${left} is left${over} of the ${scope}'s budget of ${showUsd(limitNanoUsd)}`,
    { hint, details: { ...shortage, neededNanoUsd } },
  );
};
