import { describe, expect, it } from 'vitest';
import { climb } from '../fixtures/climb.ts';

const COUNT = 1_000_000;

describe('[F8] [T6.traversal] addresses that climb out', { timeout: 3_600_000 }, () => {
  it(`lead nowhere: ${COUNT} of them, beside a canary`, async () => {
    const ends = await climb(COUNT);
    const known = ['FORBIDDEN', 'INVALID_INPUT', 'RESOURCE_NOT_FOUND', 'read'];
    expect([...ends.keys()].filter((told) => !known.includes(told))).toEqual([]);
    expect([...ends.values()].reduce((sum, count) => sum + count)).toBe(COUNT);
    expect(ends.get('read')).toBeGreaterThan(COUNT / 1000);
  });
});
