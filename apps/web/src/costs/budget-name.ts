import type { BudgetPeriod, BudgetScope } from '@cloutagent/contract';

const SIMULATED = ':simulated';

interface Named {
  readonly scope: BudgetScope;
  readonly id: string;
}

/** Budgets of simulated money have ids of their own, so that neither counts against the other. */
export const isSimulatedBudget = ({ id }: Pick<Named, 'id'>): boolean => id.endsWith(SIMULATED);

const NAMES: Readonly<Record<BudgetScope, (id: string) => string>> = {
  global: () => 'All projects',
  project: () => 'This project',
  change: (id) => `Change ${id.slice(id.indexOf('/') + 1)}`,
  user: (id) => `User ${id}`,
  run: (id) => `Run ${id}`,
  task: (id) => `Node ${id.slice(id.indexOf('/') + 1)}`,
};

/** Whose money a budget counts, in words. The id of a change and of a node begins with what it belongs to. */
export const budgetName = ({ scope, id }: Named): string =>
  NAMES[scope](id.endsWith(SIMULATED) ? id.slice(0, -SIMULATED.length) : id);

const PERIODS: Readonly<Record<BudgetPeriod, string>> = {
  lifetime: 'For good',
  day: 'Day',
  week: 'Week',
  month: 'Month',
};

/** `slot` is which day, week or month; empty for a lifetime. */
export const periodName = ({ period, slot }: { readonly period: BudgetPeriod; readonly slot: string }): string =>
  slot === '' ? PERIODS[period] : `${PERIODS[period]} ${slot}`;
