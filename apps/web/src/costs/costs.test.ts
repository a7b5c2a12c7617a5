import { toMoney, type CostAlert } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { toCostsSearch } from '../search.ts';
import { alertText } from './alert-text.ts';
import { budgetName, isSimulatedBudget, periodName } from './budget-name.ts';
import { toThresholds } from './thresholds.ts';

const alert = (over: Partial<CostAlert>): CostAlert => ({
  place: 1,
  kind: 'threshold',
  scope: 'change',
  budgetId: 'default/add-login:simulated',
  period: 'day',
  slot: '2026-11-25',
  percent: 90,
  limit: toMoney(1_000_000_000),
  spent: toMoney(900_000_000),
  held: toMoney(0),
  runId: '',
  at: '2026-11-25T10:00:00.000Z',
  ...over,
});

describe('budgets in words', () => {
  test('name whose money they count, without what belongs to the id only', () => {
    expect(budgetName({ scope: 'change', id: 'default/add-login:simulated' })).toBe('Change add-login');
    expect(budgetName({ scope: 'user', id: 'ada' })).toBe('User ada');
    expect(budgetName({ scope: 'project', id: 'default' })).toBe('This project');
    expect(isSimulatedBudget({ id: 'default:simulated' })).toBe(true);
    expect(periodName({ period: 'lifetime', slot: '' })).toBe('For good');
  });
  test('an alert says how much of what is gone', () => {
    expect(alertText(alert({}))).toEqual({
      text: 'Change add-login, day 2026-11-25: 90 % of the budget is spent, $0.9000 of $1.00',
      isOver: false,
    });
    expect(alertText(alert({ percent: 100 })).isOver).toBe(true);
    expect(alertText(alert({ kind: 'bound-violated', scope: 'run', budgetId: 'run_1' })).text).toMatch(
      /^Run run_1: a call cost .* more than its upper bound/u,
    );
  });
});

describe('a limit', () => {
  test.each([
    ['50, 75 90 %', [50, 75, 90]],
    ['', []],
    ['0', undefined],
    ['1001', undefined],
    ['half', undefined],
    ['1.5', undefined],
    [Array.from({ length: 21 }, (_, index) => index + 1).join(' '), undefined],
  ])('alerts at %j', (text, percents) => {
    expect(toThresholds(text)).toEqual(percents);
  });
  test('its address keeps what is known and drops what is not', () => {
    expect(toCostsSearch({ money: 'simulated', by: 'user', panel: 'limit', other: 1 })).toEqual({
      money: 'simulated',
      by: 'user',
      panel: 'limit',
    });
    expect(toCostsSearch({ money: 'fake', by: 'moon' })).toEqual({});
  });
});
