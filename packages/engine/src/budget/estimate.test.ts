import { describe, expect, it } from 'vitest';
import { loadPrices, priceFor } from '../model/price.ts';
import { ceilingOf, estimateTask } from './estimate.ts';

const sonnet = priceFor(loadPrices(), 'claude-sonnet-5-5');

describe('[X3.plan] the expected cost of a task', () => {
  it('is worked out from its first request: three calls with file checks', () => {
    // 4,000 bytes are 1,000 tokens; prompts of 1000, 1180 and 1360 at $2, answers of 75 + 3 × 20 / 3 = 95 at $10.
    expect(estimateTask(sonnet, { requestBytes: 4000, checks: 3, writesFiles: true })).toEqual({
      calls: 3,
      expectedNanoUsd: 3540 * 2000 + 285 * 10_000,
    });
  });

  it('is two calls without', () => {
    expect(estimateTask(sonnet, { requestBytes: 4001, checks: 0, writesFiles: false })).toEqual({
      calls: 2,
      expectedNanoUsd: (1001 + 1181) * 2000 + 150 * 10_000,
    });
  });
});

describe('[X3.ceiling] the ceiling', () => {
  it.each([
    [1_000_000, 0, 4_000_000],
    [1_000_001, 0, 4_100_000],
    [1_000_000, 17_000_001, 17_100_000],
  ])('of %i expected and a first call of %i at most is %i', (expected, least, ceiling) => {
    expect(ceilingOf(expected, least)).toBe(ceiling);
  });
});
