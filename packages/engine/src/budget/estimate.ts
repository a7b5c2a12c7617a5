import { priceOf, type Price } from '../model/price.ts';

/** A task before anything ran. */
export interface TaskSize {
  /** UTF-8 bytes of the first request: system prompt, tools and the task's own prompt. */
  readonly requestBytes: number;
  readonly checks: number;
  /** Whether it must leave a file behind, which takes a turn of its own. */
  readonly writesFiles: boolean;
}

export interface TaskEstimate {
  readonly calls: number;
  readonly expectedNanoUsd: number;
}

/** Bytes of English text and code that make a token, by the providers' rule of thumb. */
export const BYTES_PER_TOKEN = 4;
/** What a turn adds to the next prompt: the answer with its tool calls, and their results. */
export const GROWTH_TOKENS = 180;
export const OUTPUT_TOKENS_PER_CALL = 75;
export const OUTPUT_TOKENS_PER_CHECK = 20;
/** The ceiling leaves room for three failed attempts as dear as the first. */
export const CEILING_FACTOR = 4;

/** Amounts that are shown are round to a hundredth of a cent. */
const ROUND_NANO = 100_000;

/** Expected cost of a task without history: look, write, close; or where no file is asked for, work and close. */
export const estimateTask = (price: Price, size: TaskSize): TaskEstimate => {
  const calls = size.writesFiles ? 3 : 2;
  const outputTokens = Math.ceil(OUTPUT_TOKENS_PER_CALL + (OUTPUT_TOKENS_PER_CHECK * size.checks) / calls);
  let expectedNanoUsd = 0;
  for (let call = 0; call < calls; call += 1) {
    const inputTokens = Math.ceil(size.requestBytes / BYTES_PER_TOKEN) + call * GROWTH_TOKENS;
    expectedNanoUsd += priceOf(price, {
      inputTokens,
      outputTokens,
      cacheReadTokens: 0,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
    });
  }
  return { calls, expectedNanoUsd };
};

/** The limit that a run gets unless it is given one; `leastNanoUsd` is the bound of its largest first call. */
export const ceilingOf = (expectedNanoUsd: number, leastNanoUsd: number): number =>
  Math.ceil(Math.max(CEILING_FACTOR * expectedNanoUsd, leastNanoUsd) / ROUND_NANO) * ROUND_NANO;
