import { NO_USAGE } from '@cloutagent/contract';
import { isCached } from '../model/cache.ts';
import { priceOf, type Price } from '../model/price.ts';

/** A task before anything ran. */
export interface TaskSize {
  /** UTF-8 bytes of the first request: system prompt, tools and the task's own prompt. */
  readonly requestBytes: number;
  /** Those of them that an earlier task of the run begins with too. */
  readonly warmBytes: number;
  /** Whether the simulator answers. */
  readonly simulated: boolean;
  /** Whether its prompts are marked for the cache where that pays. */
  readonly cached: boolean;
  readonly checks: number;
  /** Whether it must leave a file behind, which takes a turn of its own. */
  readonly writesFiles: boolean;
}

export interface TaskEstimate extends LoopCost {
  readonly calls: number;
}

/** Bytes of English text and code that make a token, by the providers' rule of thumb. */
export const BYTES_PER_TOKEN = 4;
/** What a turn adds to the next prompt: the answer with its tool calls, and their results. */
export const GROWTH_TOKENS = 180;
export const OUTPUT_TOKENS_PER_CALL = 75;
const OUTPUT_TOKENS_PER_CHECK = 20;
/** The simulator's words are few, and where a prompt is read from the cache they are half of what a call costs. */
const SIMULATED_TOKENS_PER_CALL = 30;
const SIMULATED_TOKENS_PER_CHECK = 12;
/** The ceiling leaves room for three failed attempts as dear as the first. */
export const CEILING_FACTOR = 4;

/** Amounts that are shown are round to a hundredth of a cent. */
const ROUND_NANO = 100_000;

/** Calls of a loop, each of which sends again what the one before it sent, and what has come since. */
export interface Loop {
  /** Tokens of the first prompt. */
  readonly promptTokens: number;
  /** Tokens of its beginning that other calls of the run have left in the cache. */
  readonly warmTokens: number;
  /** Of each call's answer. */
  readonly outputTokens: readonly number[];
  /** Whether its prompts are marked for the cache where that pays. */
  readonly cached: boolean;
}

/** What a loop costs: as expected, where nothing is ever found in the cache, and where nothing is marked for it. */
export interface LoopCost {
  readonly expectedNanoUsd: number;
  readonly missedNanoUsd: number;
  readonly plainNanoUsd: number;
}

export const costOfLoop = (price: Price, loop: Loop): LoopCost => {
  const cost = { expectedNanoUsd: 0, missedNanoUsd: 0, plainNanoUsd: 0 };
  let kept = isCached(price, loop.warmTokens) ? loop.warmTokens : 0;
  for (const [call, outputTokens] of loop.outputTokens.entries()) {
    const prompt = loop.promptTokens + call * GROWTH_TOKENS;
    const marked = loop.cached && isCached(price, prompt);
    const asked = (read: number): number =>
      priceOf(price, {
        ...NO_USAGE,
        ...(marked ? { cacheReadTokens: read, cacheWrite5mTokens: prompt - read } : { inputTokens: prompt }),
        outputTokens,
      });
    cost.expectedNanoUsd += asked(kept);
    cost.missedNanoUsd += asked(0);
    cost.plainNanoUsd += priceOf(price, { ...NO_USAGE, inputTokens: prompt, outputTokens });
    if (marked) kept = prompt;
  }
  return cost;
};

/** Tokens of a call's answer, and of what each check adds to a task's. */
export const answersOf = (simulated: boolean): { readonly perCall: number; readonly perCheck: number } =>
  simulated
    ? { perCall: SIMULATED_TOKENS_PER_CALL, perCheck: SIMULATED_TOKENS_PER_CHECK }
    : { perCall: OUTPUT_TOKENS_PER_CALL, perCheck: OUTPUT_TOKENS_PER_CHECK };

/** Cost of a task without history: look, write, close; or where no file is asked for, work and close. */
export const estimateTask = (price: Price, size: TaskSize): TaskEstimate => {
  const calls = size.writesFiles ? 3 : 2;
  const { perCall, perCheck } = answersOf(size.simulated);
  const outputTokens = Math.ceil(perCall + (perCheck * size.checks) / calls);
  const cost = costOfLoop(price, {
    promptTokens: Math.ceil(size.requestBytes / BYTES_PER_TOKEN),
    warmTokens: Math.ceil(size.warmBytes / BYTES_PER_TOKEN),
    outputTokens: Array.from({ length: calls }, () => outputTokens),
    cached: size.cached,
  });
  return { calls, ...cost };
};

/** The limit that a run gets unless it is given one; `leastNanoUsd` is the bound of its largest first call. */
export const ceilingOf = (expectedNanoUsd: number, leastNanoUsd: number): number =>
  Math.ceil(Math.max(CEILING_FACTOR * expectedNanoUsd, leastNanoUsd) / ROUND_NANO) * ROUND_NANO;
