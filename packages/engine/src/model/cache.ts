import type { Price } from './price-row.ts';

/**
 * Ends of a prompt that are marked for the cache: that of tools and system prompt, for calls that share no more, or that of the
 * conversation as well, for calls that send all of it again.
 */
export type CacheMarks = 'prefix' | 'conversation';

/** Whether a prompt of so many tokens is worth a mark: the server keeps it, and reading it is cheaper than sending it. */
export const isCached = (price: Price, tokens: number): boolean =>
  tokens >= price.minCacheTokens && price.base.cacheRead < price.base.input;

/** Most that a token costs more in pico-dollars where it is written to the cache and not found in it. */
export const missPico = ({ base, above }: Price): number =>
  Math.max(
    ...[base, ...(above === null ? [] : [above.rates])].map(
      ({ input, cacheRead, cacheWrite5m }) => Math.max(input, cacheWrite5m) - cacheRead,
    ),
  );

/** What the calls of an earlier run would have cost had nothing been found in the cache. */
export const missedCost = (
  past: { readonly costNanoUsd: number; readonly cacheReadTokens: number },
  perToken: number,
): number => past.costNanoUsd + Math.ceil((past.cacheReadTokens * perToken) / 1000);
