import { CloutError, toMoney } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { isRetryable, needsLogin, toProblem } from '../api/error.ts';
import { plainUsd, toShares } from './shares.ts';
import { showAgo, showDuration } from './time.ts';

const view = (limit: number | null, spent: number, held: number) => ({
  limit: limit === null ? null : toMoney(limit),
  spent: toMoney(spent),
  held: toMoney(held),
});

describe('toShares', () => {
  test('shares of the limit, never beyond it, and never invisible', () => {
    expect(toShares(view(100, 50, 25))).toMatchObject({ spent: 50, held: 25 });
    expect(toShares(view(100, 90, 40))).toMatchObject({ spent: 90, held: 10 });
    expect(toShares(view(1_000_000_000, 1, 0)).spent).toBe(1.5);
    expect(toShares(view(null, 0, 0))).toMatchObject({ spent: 0, held: 0 });
  });
  test('says it in words too', () => {
    expect(toShares(view(2_000_000_000, 500_000_000, 1_000_000_000)).text).toBe(
      '$0.5000 spent, $1.00 reserved, limit $2.00',
    );
  });
});

test.each([
  [0, '0.00'],
  [482_100_000, '0.4821'],
  [1, '0.000000001'],
  [20_000_000_000, '20.00'],
])('%d nano-dollars are %s in a field', (nanoUsd, text) => expect(plainUsd(nanoUsd)).toBe(text));

test.each([
  [-5, '0 ms'],
  [340, '340 ms'],
  [4_200, '4.2 s'],
  [59_400, '59 s'],
  [185_000, '3 m 05 s'],
  [7_800_000, '2 h 10 m'],
])('%d ms are shown as %s', (ms, text) => expect(showDuration(ms)).toBe(text));

test('ages', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(showAgo('2026-11-21T11:59:30Z', now)).toBe('just now');
  expect(showAgo('2026-11-21T09:00:00Z', now)).toBe('3 h ago');
  expect(showAgo('no date', now)).toBe('');
});

describe('problems', () => {
  test('the server’s words are shown; a defect of the page shows nothing of itself', () => {
    const error = new CloutError('BUDGET_EXHAUSTED', 'Too little', { hint: 'More' });
    expect(toProblem(error)).toEqual({ code: 'BUDGET_EXHAUSTED', message: 'Too little', hint: 'More' });
    expect(toProblem(new TypeError('x is undefined')).message).not.toContain('undefined');
  });
  test('what can be asked again, and what needs a token', () => {
    expect(isRetryable(new CloutError('SERVER_UNREACHABLE', ''))).toBe(true);
    expect(isRetryable(new CloutError('RUN_NOT_FOUND', ''))).toBe(false);
    expect(needsLogin(new CloutError('FORBIDDEN', ''))).toBe(true);
    expect(needsLogin(new CloutError('RUN_EXISTS', ''))).toBe(false);
  });
});
