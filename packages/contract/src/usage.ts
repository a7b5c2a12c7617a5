import * as z from 'zod';

/** `batch`: through the batch API; `us`: inference in the United States; `fast`: the fast mode. */
export const UsageTrait = z.enum(['batch', 'us', 'fast']);
export type UsageTrait = z.infer<typeof UsageTrait>;

/**
 * Usage of one model call in the Messages API's own terms: `inputTokens` is what was neither read from nor written
 * to the cache, so the whole prompt is `inputTokens + cacheRead + cacheWrite5m + cacheWrite1h`.
 */
export const Usage = z.object({
  inputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWrite5mTokens: z.int(),
  cacheWrite1hTokens: z.int(),
  outputTokens: z.int(),
  /** Searches that the provider's own tool made, each of which is billed. */
  webSearchRequests: z.int().optional(),
  /** What multiplies the price of the tokens; absent: nothing does. */
  traits: z.array(UsageTrait).optional(),
});
export interface Usage extends z.infer<typeof Usage> {}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 0,
};

/** Traits belong to single calls, so a sum has none. */
export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWrite5mTokens: a.cacheWrite5mTokens + b.cacheWrite5mTokens,
  cacheWrite1hTokens: a.cacheWrite1hTokens + b.cacheWrite1hTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  ...(a.webSearchRequests === undefined && b.webSearchRequests === undefined
    ? {}
    : { webSearchRequests: (a.webSearchRequests ?? 0) + (b.webSearchRequests ?? 0) }),
});
