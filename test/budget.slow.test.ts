import { describe, expect, it } from 'vitest';
import { stressBudget } from './support/budget-stress.ts';

describe('[X1.never-over X1.alerts X1.ledger-exact X1.wait] [D5] [M18] many agents on one dollar', () => {
  it('never have more spent and held, whatever fails and whoever is killed, and every row is what was billed', async () => {
    const result = await stressBudget(150, 3);
    expect(result.over).toBe(0);
    expect(result.problems).toEqual([]);
    expect(result.wrong).toEqual([]);
    expect(result.heldNanoUsd).toBe(0);
    expect(result.spentNanoUsd).toBeLessThanOrEqual(result.limitNanoUsd);
    // The money was used, and running out of it paused runs.
    expect(result.spentNanoUsd).toBeGreaterThan(900_000_000);
    expect(result.statuses['paused']).toBeGreaterThan(0);
    expect(result.ledger.known).toBeGreaterThan(50);
    expect(result.ledger.unknown).toBeGreaterThan(0);
    expect(result.ledger.released).toBeGreaterThan(0);
    const reached = [50, 75, 90, 100].filter((percent) => result.spentNanoUsd * 100 >= result.limitNanoUsd * percent);
    expect(result.alerts.toSorted((a, b) => a - b)).toEqual(reached);
  }, 120_000);
});
