import {
  CloutError,
  showUsd,
  type Budget,
  type BudgetLevel,
  type BudgetShortage,
  type RunEventBody,
  toMoney,
} from '@cloutagent/contract';
import { FIRST_CALL_TOKENS } from '../model/bound.ts';
import { outputTokensFor, priceOf, type Price } from '../model/price.ts';

/** Shortest answer worth paying for: a tool call with a path and a few lines fits. */
const MIN_OUTPUT_TOKENS = 512;
/** First allowance of a call, unless a twentieth of the run's limit pays more. */
const FIRST_ALLOWANCE = 1024;
const SHARE_OF_LIMIT = 20;

export interface Reservation {
  readonly maxTokens: number;
  readonly amountNanoUsd: number;
}

export interface Call {
  readonly price: Price;
  /** Upper bound of the prompt. */
  readonly inputTokens: number;
  /** Wished `max_tokens`. */
  readonly outputTokens: number;
  /** A shorter answer is of no use, because it was already cut at less. */
  readonly exact: boolean;
}

/** Rounded up to a hundredth of a cent, so that an amount that is named as enough is enough. */
const showAtLeast = (nanoUsd: number): string => showUsd(Math.ceil(nanoUsd / 100_000) * 100_000);

const boundOf = (price: Price, inputTokens: number, outputTokens: number): number =>
  priceOf(price, { inputTokens, outputTokens, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 });

/**
 * Upper bound in nano-dollars of a call that sends no `cache_control`, so that plain input is its dearest class. The band
 * of the price follows the bound, which is never below the band of the bill.
 */
export const callBound = (call: Call): number => boundOf(call.price, call.inputTokens, call.outputTokens);

/** What a budget must hold at least for the first call with so many bytes to be sent. */
export const leastCallBound = (price: Price, requestBytes: number): number =>
  boundOf(price, requestBytes + FIRST_CALL_TOKENS, FIRST_ALLOWANCE);

const freeOf = (budget: Budget): number =>
  budget.limitNanoUsd === null
    ? Number.POSITIVE_INFINITY
    : budget.limitNanoUsd - budget.spentNanoUsd - budget.heldNanoUsd;

const runBudget = (budgets: readonly Budget[]): Budget | undefined => budgets.find((budget) => budget.scope === 'run');

/** `max_tokens` to begin with: small, because it is reserved in full; an answer that is cut is asked again with the double. */
export const firstAllowance = (price: Price, budgets: readonly Budget[], maxTokens: number): number => {
  const limit = runBudget(budgets)?.limitNanoUsd ?? null;
  if (limit === null) return maxTokens;
  return Math.min(maxTokens, Math.max(FIRST_ALLOWANCE, outputTokensFor(price, 0, limit / SHARE_OF_LIMIT)));
};

/**
 * What to reserve for a call: its bound, or with a shorter answer what is free.
 * Errors: BUDGET_EXHAUSTED (details: BudgetShortage) naming the tightest budget and the amount that the call needs.
 */
export const fitCall = (call: Call, budgets: readonly Budget[]): Reservation => {
  const wanted = callBound(call);
  const tightest = budgets.reduce<Budget | undefined>(
    (low, budget) => (low === undefined || freeOf(budget) < freeOf(low) ? budget : low),
    undefined,
  );
  const free = tightest === undefined ? Number.POSITIVE_INFINITY : freeOf(tightest);
  if (wanted <= free) return { maxTokens: call.outputTokens, amountNanoUsd: wanted };
  const fitting = outputTokensFor(call.price, call.inputTokens, free);
  if (!call.exact && fitting >= MIN_OUTPUT_TOKENS) {
    return { maxTokens: fitting, amountNanoUsd: boundOf(call.price, call.inputTokens, fitting) };
  }
  // Without a budget everything is free, so there is one here.
  throw shortageOf(tightest ?? { scope: 'run', id: '', limitNanoUsd: 0, spentNanoUsd: 0, heldNanoUsd: 0 }, wanted);
};

/** The error that pauses a run: which budget, what is left, what the next call needs, and the limit that would do. */
const shortageOf = (budget: Budget, neededNanoUsd: number): CloutError => {
  const limitNanoUsd = budget.limitNanoUsd ?? 0;
  const { scope, id, spentNanoUsd, heldNanoUsd } = budget;
  const details: BudgetShortage = { scope, id, limitNanoUsd, spentNanoUsd, heldNanoUsd, neededNanoUsd };
  const enough = spentNanoUsd + heldNanoUsd + neededNanoUsd;
  const left = Math.max(0, limitNanoUsd - spentNanoUsd - heldNanoUsd);
  return new CloutError(
    'BUDGET_EXHAUSTED',
    `The next call may cost ${showAtLeast(neededNanoUsd)}, and ${showUsd(left)} is left of the ${scope}'s budget of ${showUsd(limitNanoUsd)}`,
    {
      hint:
        scope === 'run'
          ? `Raise the run's budget to at least ${showAtLeast(enough)} and resume: clout runs resume RUN --budget USD`
          : `Raise the project's budget to at least ${showAtLeast(enough)} (budget.project in .cloutagent/config.yaml), then: clout runs resume RUN`,
      details: { ...details },
    },
  );
};

const NO_LEVEL: Omit<Budget, keyof BudgetLevel> = { limitNanoUsd: null, spentNanoUsd: 0, heldNanoUsd: 0 };

/** The event that shows the run's money after `spent` and `held` have changed by these amounts. */
export const moneyEvent = (budgets: readonly Budget[], spentBy: number, heldBy: number): RunEventBody => {
  const { limitNanoUsd, spentNanoUsd, heldNanoUsd } = runBudget(budgets) ?? NO_LEVEL;
  return {
    type: 'money',
    limit: limitNanoUsd === null ? null : toMoney(limitNanoUsd),
    spent: toMoney(spentNanoUsd + spentBy),
    held: toMoney(heldNanoUsd + heldBy),
  };
};
