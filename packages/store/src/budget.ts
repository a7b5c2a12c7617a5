import {
  ALERT_THRESHOLDS,
  CloutError,
  toMoney,
  type Budget,
  type BudgetLevel,
  type BudgetPeriod,
  type BudgetScope,
  type BudgetView,
  type LimitChange,
} from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { alertStatement } from './alert.ts';
import { read, write, type Guarded } from './ask.ts';
import { periodEnd, type Slots } from './calendar.ts';
import type { Row } from './libsql.ts';
import { int, intOrNull, text } from './rows.ts';
import type { Writer } from './writer.ts';

/** A task's limit is a part of its run's, so that alerts of it would say the same thing twice. */
const isAlerted = (level: BudgetLevel): boolean => level.scope !== 'task';

const DEFAULTS = ALERT_THRESHOLDS.map((percent) => `SELECT ${percent} AS percent`).join(' UNION ALL ');

const defaultThresholds = (level: BudgetLevel, period: BudgetPeriod): Guarded => ({
  sql: `INSERT INTO alert_threshold (scope, id, period, percent) SELECT ?, ?, ?, p.percent FROM (${DEFAULTS}) p
        WHERE NOT EXISTS (SELECT 1 FROM alert_threshold WHERE scope = ? AND id = ? AND period = ?)`,
  params: [level.scope, level.id, period, level.scope, level.id, period],
  // Those of a run come with it.
  ...(level.scope === 'run' ? {} : { forgets: 'all' as const }),
});

const ensureRow = (level: BudgetLevel, limitNanoUsd: number | null): Guarded => ({
  sql: `INSERT INTO budget (scope, id, slot, period, limit_nano, spent_nano, held_nano) VALUES (?, ?, '', 'lifetime', ?, 0, 0)
        ON CONFLICT (scope, id, slot) DO NOTHING`,
  params: [level.scope, level.id, limitNanoUsd],
});

/** Creates a budget over all time; one that exists stays as it is. */
export const ensureBudgetStatements = (level: BudgetLevel, limitNanoUsd: number | null): readonly Guarded[] => [
  ensureRow(level, limitNanoUsd),
  ...(limitNanoUsd !== null && isAlerted(level) ? [defaultThresholds(level, 'lifetime')] : []),
];

/** Rows of the periods of now for all that have a limit over such periods; nothing was reserved in them before. */
export const openSlotsStatements = (slots: Slots): readonly Guarded[] => [
  {
    sql: `INSERT INTO budget (scope, id, slot, period, limit_nano, spent_nano, held_nano)
          SELECT scope, id, CASE period WHEN 'day' THEN ? WHEN 'week' THEN ? ELSE ? END, period, limit_nano, 0, 0
          FROM budget_limit WHERE TRUE ON CONFLICT (scope, id, slot) DO NOTHING`,
    params: [slots.day, slots.week, slots.month],
    forgets: 'all',
  },
];

/** In the order asked, over all time; a level that nobody made is unlimited and unspent. */
export const readBudgets = async (writer: Writer, levels: readonly BudgetLevel[]): Promise<readonly Budget[]> => {
  const answers = await read(
    writer,
    levels.map((level) => ({
      sql: `SELECT limit_nano, spent_nano, held_nano FROM budget WHERE scope = ? AND id = ? AND slot = ''`,
      params: [level.scope, level.id],
    })),
  );
  return levels.map((level, index) => toBudget(level, answers[index]?.rows[0]));
};

export interface LimitOrder {
  readonly level: BudgetLevel;
  readonly period: BudgetPeriod;
  readonly limitNanoUsd: number | null;
  /** Percents of the limit at which to alert; those that stand where absent. */
  readonly thresholds?: readonly number[] | undefined;
  /** Who says so. */
  readonly by: string;
}

/**
 * Below what is spent and held it only refuses new reservations. A limit of a day, week or month counts what was spent in the
 * running one before. Throws RUN_NOT_FOUND for the budget of no run.
 */
export const writeLimit = async (writer: Writer, order: LimitOrder, slots: Slots, now: number): Promise<Budget> => {
  const { level, period, limitNanoUsd } = order;
  const slot = period === 'lifetime' ? '' : slots[period];
  const key = [level.scope, level.id, slot];
  const set: Guarded = {
    sql: 'UPDATE budget SET limit_nano = ? WHERE scope = ? AND id = ? AND slot = ? RETURNING limit_nano, spent_nano, held_nano',
    params: [limitNanoUsd, ...key],
    expectChanges: 1,
    forgets: 'all',
    refuse: () => new CloutError('RUN_NOT_FOUND', `Run ${level.id} has no budget of its own`),
  };
  const own = level.scope === 'run' || level.scope === 'task';
  const statements: readonly Guarded[] = [
    ...(own ? [] : [ensureRow(level, null)]),
    ...(period === 'lifetime' ? [] : [countSlot(order, slot), keepPeriodLimit(order)]),
    {
      sql: `INSERT INTO limit_change (place, scope, id, period, before_nano, after_nano, changed_by, at)
            SELECT (SELECT coalesce(max(place), 0) + 1 FROM limit_change), ?, ?, ?,
              (SELECT limit_nano FROM budget WHERE scope = ? AND id = ? AND slot = ?), ?, ?, ?`,
      params: [level.scope, level.id, period, ...key, limitNanoUsd, order.by, now],
    },
    set,
    ...thresholdStatements(order),
    alertStatement({ kind: 'budget', level }, now),
  ];
  const answers = await write(writer, statements);
  return toBudget(level, answers[statements.indexOf(set)]?.rows[0]);
};

/** The row of the running period, with what the ledger says of it. */
const countSlot = ({ level, period }: LimitOrder, slot: string): Guarded => ({
  sql: `INSERT INTO budget (scope, id, slot, period, limit_nano, spent_nano, held_nano)
        SELECT ?, ?, ?, ?, NULL, coalesce(sum(s.amount_nano), 0),
          coalesce(sum(CASE WHEN s.reservation_id IS NULL THEN r.amount_nano ELSE 0 END), 0)
        FROM run_level l JOIN reservation r ON r.run_id = l.run_id AND l.place IN ('', r.node)
        LEFT JOIN settlement s ON s.reservation_id = r.id
        WHERE l.scope = ? AND l.budget_id = ? AND ? IN (r.day, r.week, r.month)
        ON CONFLICT (scope, id, slot) DO NOTHING`,
  params: [level.scope, level.id, slot, period, level.scope, level.id, slot],
});

const keepPeriodLimit = ({ level, period, limitNanoUsd }: LimitOrder): Guarded =>
  limitNanoUsd === null
    ? {
        sql: 'DELETE FROM budget_limit WHERE scope = ? AND id = ? AND period = ?',
        params: [level.scope, level.id, period],
      }
    : {
        sql: `INSERT INTO budget_limit (scope, id, period, limit_nano) VALUES (?, ?, ?, ?)
              ON CONFLICT (scope, id, period) DO UPDATE SET limit_nano = excluded.limit_nano`,
        params: [level.scope, level.id, period, limitNanoUsd],
      };

const thresholdStatements = ({ level, period, limitNanoUsd, thresholds }: LimitOrder): readonly Guarded[] => {
  if (thresholds === undefined)
    return limitNanoUsd !== null && isAlerted(level) ? [defaultThresholds(level, period)] : [];
  const wanted = thresholds.length === 0 ? [0] : [...new Set(thresholds)];
  return [
    {
      sql: 'DELETE FROM alert_threshold WHERE scope = ? AND id = ? AND period = ?',
      params: [level.scope, level.id, period],
    },
    ...wanted.map((percent) => ({
      sql: 'INSERT INTO alert_threshold (scope, id, period, percent) VALUES (?, ?, ?, ?)',
      params: [level.scope, level.id, period, percent],
    })),
  ];
};

const toBudget = (level: BudgetLevel, row: Row | undefined): Budget => ({
  scope: level.scope,
  id: level.id,
  limitNanoUsd: row === undefined ? null : intOrNull(row, 'limit_nano'),
  spentNanoUsd: row === undefined ? 0 : int(row, 'spent_nano'),
  heldNanoUsd: row === undefined ? 0 : int(row, 'held_nano'),
});

/** Budgets of one answer: every project, user and change that has spent, but not every run. */
const MAX_BUDGETS = 500;

/** Budgets as they stand now, the widest first; of runs and tasks only those that were asked for. */
export const readBudgetViews = async (
  writer: Writer,
  asked: {
    readonly now: number;
    readonly timeZone: string;
    readonly slots: Slots;
    readonly runId?: string | undefined;
  },
): Promise<readonly BudgetView[]> => {
  const { now, timeZone, slots, runId = '' } = asked;
  const answers = await read(writer, [
    {
      sql: `SELECT b.scope, b.id, b.period, b.slot, b.limit_nano, b.spent_nano, b.held_nano,
              (SELECT group_concat(percent, ' ') FROM (SELECT percent FROM alert_threshold t
                WHERE t.scope = b.scope AND t.id = b.id AND t.period = b.period AND percent > 0 ORDER BY percent)) AS percents
            FROM budget b
            WHERE b.slot IN ('', ?, ?, ?) AND (b.scope NOT IN ('run', 'task') OR EXISTS (
              SELECT 1 FROM run_level l WHERE l.run_id = ? AND l.scope = b.scope AND l.budget_id = b.id))
            ORDER BY CASE b.scope WHEN 'global' THEN 0 WHEN 'project' THEN 1 WHEN 'user' THEN 2 WHEN 'change' THEN 3
              WHEN 'run' THEN 4 ELSE 5 END, b.id,
              CASE b.period WHEN 'lifetime' THEN 0 WHEN 'day' THEN 1 WHEN 'week' THEN 2 ELSE 3 END LIMIT ${MAX_BUDGETS}`,
      params: [slots.day, slots.week, slots.month, runId],
    },
  ]);
  return (answers[0]?.rows ?? []).map((row): BudgetView => {
    const limit = intOrNull(row, 'limit_nano');
    const spent = int(row, 'spent_nano');
    const held = int(row, 'held_nano');
    // The constraint of the column holds it.
    const period = text(row, 'period') as BudgetPeriod;
    const percents = row['percents'];
    return {
      scope: text(row, 'scope') as BudgetScope, // the same
      id: text(row, 'id'),
      period,
      slot: text(row, 'slot'),
      limit: limit === null ? null : toMoney(limit),
      spent: toMoney(spent),
      held: toMoney(held),
      free: limit === null ? null : toMoney(Math.max(0, limit - spent - held)),
      alertThresholds: typeof percents === 'string' ? percents.split(' ').map(Number) : [],
      resetsAt: period === 'lifetime' ? null : toIso(periodEnd(period, now, timeZone)),
    };
  });
};

/** Changes of limits of one answer. */
const MAX_CHANGES = 200;

/** Which changes of limits: of one budget, or all. */
export interface ChangesQuery extends BudgetLevel {
  readonly period: BudgetPeriod;
  readonly by: string;
}

/** Who changed which limit, newest first. */
export const readLimitChanges = async (writer: Writer, query?: ChangesQuery): Promise<readonly LimitChange[]> => {
  const where = query === undefined ? '' : 'WHERE scope = ? AND id = ? AND period = ? AND changed_by = ?';
  const answers = await read(writer, [
    {
      sql: `SELECT scope, id, period, before_nano, after_nano, changed_by, at FROM limit_change ${where}
            ORDER BY place DESC LIMIT ${MAX_CHANGES}`,
      params: query === undefined ? [] : [query.scope, query.id, query.period, query.by],
    },
  ]);
  const money = (row: Row, name: string): LimitChange['before'] => {
    const value = intOrNull(row, name);
    return value === null ? null : toMoney(value);
  };
  return (answers[0]?.rows ?? []).map((row) => ({
    scope: text(row, 'scope') as BudgetScope, // written from these types
    id: text(row, 'id'),
    period: text(row, 'period') as BudgetPeriod,
    before: money(row, 'before_nano'),
    after: money(row, 'after_nano'),
    by: text(row, 'changed_by'),
    at: toIso(int(row, 'at')),
  }));
};
