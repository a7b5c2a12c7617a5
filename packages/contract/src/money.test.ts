import { describe, expect, it } from 'vitest';
import { Config } from './config.ts';
import { formatUsd, parseUsd, showUsd, toMoney } from './amount.ts';
import { UsdText } from './money.ts';
import { RunResume, RunStart } from './route.ts';

describe('money', () => {
  it.each([
    ['0.50', 500_000_000],
    ['$1', 1_000_000_000],
    ['0.000000001', 1],
    ['999999.999999999', 999_999_999_999_999],
  ])('reads %s exactly', (text, nano) => {
    expect(parseUsd(text)).toBe(nano);
  });

  it.each(['', '-1', '1.', '.5', '1e3', '0.0000000001', '1000000', '9999999', 'one', '1 2'])('refuses %j', (text) => {
    expect(parseUsd(text)).toBeUndefined();
    expect(UsdText.safeParse(text).success).toBe(false);
    expect(RunStart.safeParse({ slug: 'a', budget: text }).success).toBe(false);
    expect(RunResume.safeParse({ budget: text }).success).toBe(false);
    expect(Config.safeParse({ budget: { project: text } }).success).toBe(false);
  });

  it('writes nine places without rounding, also where floats would', () => {
    expect(formatUsd(1_200_000)).toBe('0.001200000');
    expect(formatUsd(9_000_000_000_000_001)).toBe('9000000.000000001');
    expect(formatUsd(-1)).toBe('-0.000000001');
    expect(toMoney(5)).toEqual({ usd: '0.000000005', nanoUsd: 5 });
  });

  it('never shows a non-zero amount as zero', () => {
    expect(showUsd(0)).toBe('$0.00');
    expect(showUsd(1)).toBe('$0.000000001');
    expect(showUsd(12_300_000)).toBe('$0.0123');
    expect(showUsd(2_500_000_000)).toBe('$2.50');
  });
});
