import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { openRetryBudget } from './retry.ts';

const RULE = { ratio: 0.09, cap: 100, reserve: 10, refillMs: 6000 };

describe('[D7] the budget of repetitions', () => {
  it('holds all calls of an outage to a tenth more', () => {
    const budget = openRetryBudget(RULE, { ...systemClock, monotonic: () => 0 });
    let calls = 0;
    for (let step = 0; step < 2000; step += 1) {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        budget.earn();
        calls += 1;
        if (!budget.take()) break;
      }
    }
    expect(calls).toBeGreaterThan(2150);
    expect(calls).toBeLessThanOrEqual(2200 + 11);
  });

  it('keeps a reserve for a quiet process, which comes back with time', () => {
    let now = 0;
    const budget = openRetryBudget(RULE, { ...systemClock, monotonic: () => now });
    const takeAll = (): number => {
      let taken = 0;
      while (budget.take()) taken += 1;
      return taken;
    };
    expect(takeAll()).toBe(10);
    now = 12_000;
    expect(takeAll()).toBe(2);
    now = 3_600_000;
    expect(takeAll()).toBe(10);
  });

  it('keeps no more than its cap of a busy hour', () => {
    const budget = openRetryBudget({ ...RULE, cap: 5, reserve: 0 }, systemClock);
    for (let call = 0; call < 10_000; call += 1) budget.earn();
    let taken = 0;
    while (budget.take()) taken += 1;
    expect(taken).toBe(5);
  });
});
