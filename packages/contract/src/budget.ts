import * as z from 'zod';
import { Money } from './money.ts';

/**
 * Whose money a budget counts, in the order in which a reservation takes the rows: the narrowest first and `global`, which
 * everybody takes, last. `task` is one node of a run (the first segment of its steps' keys).
 */
export const BudgetScope = z.enum(['task', 'run', 'change', 'user', 'project', 'global']);
export type BudgetScope = z.infer<typeof BudgetScope>;

/** What a budget counts over: for ever, or a calendar day, ISO week or month in the project's time zone. */
export const BudgetPeriod = z.enum(['lifetime', 'day', 'week', 'month']);
export type BudgetPeriod = z.infer<typeof BudgetPeriod>;

/** A budget that a reservation must fit. Ids of simulated money end in `:simulated`, so that it has budgets of its own. */
export interface BudgetLevel {
  readonly scope: BudgetScope;
  readonly id: string;
}

export interface Budget extends BudgetLevel {
  /** null: recorded but not limited. */
  readonly limitNanoUsd: number | null;
  readonly spentNanoUsd: number;
  readonly heldNanoUsd: number;
}

/** A level of a run with its limit over the run's lifetime. */
export interface LimitedLevel extends BudgetLevel {
  readonly limitNanoUsd: number | null;
  /** Of a `task` level: the first segment of the steps' keys that it holds for. Absent: it holds for all steps. */
  readonly place?: string;
}

/** Details of a `BUDGET_EXHAUSTED` error: the row that is tightest, as it was at that moment. */
export interface BudgetShortage {
  readonly scope: BudgetScope;
  readonly id: string;
  readonly period: BudgetPeriod;
  /** Which day, week or month, such as 2026-11-25, 2026-W48, 2026-11; empty for lifetime. */
  readonly slot: string;
  readonly limitNanoUsd: number;
  readonly spentNanoUsd: number;
  readonly heldNanoUsd: number;
  readonly neededNanoUsd: number;
}

/** Percent of a limit at which an alert is given, unless the limit names its own (seed 003, task 2.4). */
export const ALERT_THRESHOLDS: readonly number[] = [50, 75, 90, 100];

/** One budget as it stands: `free` is null where there is no limit. */
export const BudgetView = z.object({
  scope: BudgetScope,
  id: z.string(),
  period: BudgetPeriod,
  slot: z.string(),
  limit: Money.nullable(),
  spent: Money,
  held: Money,
  free: Money.nullable(),
  alertThresholds: z.array(z.int()),
  /** When the period ends; null for lifetime. */
  resetsAt: z.string().nullable(),
});
export interface BudgetView extends z.infer<typeof BudgetView> {}

/** `threshold`: a share of a limit is spent. `bound-violated`: a call cost more than its upper bound. */
export const CostAlert = z.object({
  /** Grows with every alert; the id of its delivery. */
  place: z.int(),
  kind: z.enum(['threshold', 'bound-violated']),
  scope: BudgetScope,
  budgetId: z.string(),
  period: BudgetPeriod,
  slot: z.string(),
  /** Of the limit; of the bound where that was violated. */
  percent: z.int(),
  limit: Money,
  spent: Money,
  held: Money,
  runId: z.string(),
  at: z.string(),
});
export interface CostAlert extends z.infer<typeof CostAlert> {}

/** Who changed which limit. */
export const LimitChange = z.object({
  scope: BudgetScope,
  id: z.string(),
  period: BudgetPeriod,
  before: Money.nullable(),
  after: Money.nullable(),
  by: z.string(),
  at: z.string(),
});
export interface LimitChange extends z.infer<typeof LimitChange> {}
