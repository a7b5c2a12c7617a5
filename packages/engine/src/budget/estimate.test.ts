import { describe, expect, it } from 'vitest';
import { loadPrices, priceFor } from '../model/price.ts';
import { ceilingOf, estimateTask } from './estimate.ts';

const sonnet = priceFor(loadPrices(), 'claude-sonnet-5-5');

describe('[X3.plan] the expected cost of a task', () => {
  it('is worked out from its first request: three calls with file checks', () => {
    // 4,000 bytes are 1,000 tokens; prompts of 1000, 1180 and 1360 at $2, answers of 75 + 3 × 20 / 3 = 95 at $10.
    const size = { requestBytes: 4000, warmBytes: 0, checks: 3, writesFiles: true, simulated: false };
    const plain = 3540 * 2000 + 285 * 10_000;
    expect(estimateTask(sonnet, { ...size, cached: false })).toEqual({
      calls: 3,
      expectedNanoUsd: plain,
      missedNanoUsd: plain,
      plainNanoUsd: plain,
    });
    // 1,000 tokens and then 180 are written at $2.50, and 1,000 and 1,180 are read at $0.10.
    expect(estimateTask(sonnet, { ...size, cached: true })).toEqual({
      calls: 3,
      expectedNanoUsd: 1360 * 2500 + 2180 * 100 + 285 * 10_000,
      missedNanoUsd: 3540 * 2500 + 285 * 10_000,
      plainNanoUsd: plain,
    });
    // 800 of the first 1,000 are there from an earlier task.
    expect(estimateTask(sonnet, { ...size, warmBytes: 3200, cached: true })).toMatchObject({
      expectedNanoUsd: 560 * 2500 + 2980 * 100 + 285 * 10_000,
      missedNanoUsd: 3540 * 2500 + 285 * 10_000,
    });
  });

  it('counts on the cache only where the provider keeps a prompt that short', () => {
    // 400, 580 and 760 tokens: the model keeps 512 and more.
    const size = { requestBytes: 1600, warmBytes: 1500, checks: 0, writesFiles: true, simulated: false, cached: true };
    expect(estimateTask(sonnet, size).expectedNanoUsd).toBe(
      400 * 2000 + 580 * 2500 + (580 * 100 + 180 * 2500) + 225 * 10_000,
    );
    // What its reads cost as much as plain input gains nothing.
    const own = loadPrices({ asOf: '2026-11-20', models: { own: { in: 2, out: 10, maxOut: 1000 } } });
    const { expectedNanoUsd, plainNanoUsd } = estimateTask(priceFor(own, 'own'), { ...size, requestBytes: 8000 });
    expect(expectedNanoUsd).toBe(plainNanoUsd);
  });

  it('is two calls without', () => {
    const size = { requestBytes: 4001, warmBytes: 0, checks: 0, writesFiles: false, simulated: false, cached: false };
    expect(estimateTask(sonnet, size)).toMatchObject({
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
