import { ceilingOf } from './estimate.ts';

/** What is known of a node before a run. */
export interface NodeFacts {
  /** Expected cost by its size alone. */
  readonly expectedNanoUsd: number;
  /** Bound of its first call, without which it cannot begin. */
  readonly leastNanoUsd: number;
  /** Most that it can cost: turns × bound of a call. Infinity where its loop has no bound. */
  readonly boundNanoUsd: number;
  /** What it cost in earlier runs of the same document. */
  readonly history: readonly number[];
}

/** Price of a node: what it will cost at least, as a rule, and at most. */
export interface NodeQuote {
  readonly minNanoUsd: number;
  readonly expectedNanoUsd: number;
  readonly ceilingNanoUsd: number;
  /** Earlier runs that the expectation was learned from; 0: from its size. */
  readonly learnedFrom: number;
}

/**
 * The ceiling is four times the expectation, at least what the first call takes and at most the bound. It becomes the limit of
 * the node, so that it holds whatever the node does.
 */
export const quoteNode = (facts: NodeFacts): NodeQuote => {
  const { history, leastNanoUsd, boundNanoUsd } = facts;
  const learned = history.length > 0;
  const mean = history.reduce((sum, cost) => sum + cost, 0) / Math.max(1, history.length);
  const expectedNanoUsd = learned ? Math.ceil(mean) : facts.expectedNanoUsd;
  return {
    minNanoUsd: learned ? Math.min(...history) : 0,
    expectedNanoUsd,
    ceilingNanoUsd: Math.min(ceilingOf(expectedNanoUsd, leastNanoUsd), Math.max(boundNanoUsd, leastNanoUsd)),
    learnedFrom: history.length,
  };
};
