import { ceilingOf } from './estimate.ts';

/** What a node cost in an earlier run, and what it would have cost had nothing been found in the cache. */
export interface PastCost {
  readonly costNanoUsd: number;
  readonly missedNanoUsd: number;
}

/** What is known of a node before a run. */
export interface NodeFacts {
  /** Expected cost by its size alone. */
  readonly expectedNanoUsd: number;
  /** Bound of its first call, without which it cannot begin. */
  readonly leastNanoUsd: number;
  /** Most that it can cost: turns × bound of a call. Infinity where its loop has no bound. */
  readonly boundNanoUsd: number;
  /** What it costs by its size where nothing is ever found in the cache. */
  readonly missedNanoUsd: number;
  /** Earlier runs of the same document. */
  readonly history: readonly PastCost[];
}

/** Price of a node: what it will cost at least, as a rule, and at most. */
export interface NodeQuote {
  readonly minNanoUsd: number;
  readonly expectedNanoUsd: number;
  readonly ceilingNanoUsd: number;
  /** What is expected where nothing is found in the cache. */
  readonly missedNanoUsd: number;
  /** Earlier runs that the expectation was learned from; 0: from its size. */
  readonly learnedFrom: number;
}

/** Mean amount, rounded up. */
const meanOf = (amounts: readonly number[]): number =>
  Math.ceil(amounts.reduce((sum, amount) => sum + amount, 0) / Math.max(1, amounts.length));

/**
 * The ceiling is four times the expectation, at least what the first call takes and what all of them do where nothing is found in
 * the cache, and at most the bound. It becomes the limit of
 * the node, so that it holds whatever the node does.
 */
export const quoteNode = (facts: NodeFacts): NodeQuote => {
  const { history, leastNanoUsd, boundNanoUsd } = facts;
  const learned = history.length > 0;
  const costs = history.map(({ costNanoUsd }) => costNanoUsd);
  const expectedNanoUsd = learned ? meanOf(costs) : facts.expectedNanoUsd;
  const missedNanoUsd = learned ? meanOf(history.map((past) => past.missedNanoUsd)) : facts.missedNanoUsd;
  return {
    minNanoUsd: learned ? Math.min(...costs) : 0,
    expectedNanoUsd,
    ceilingNanoUsd: Math.min(
      ceilingOf(expectedNanoUsd, Math.max(leastNanoUsd, missedNanoUsd)),
      Math.max(boundNanoUsd, leastNanoUsd),
    ),
    missedNanoUsd,
    learnedFrom: history.length,
  };
};
