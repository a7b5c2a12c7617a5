import { toMoney, type BudgetLevel, type BudgetPeriod, type BudgetScope, type CostAlert } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { read, write, type Guarded } from './ask.ts';
import type { Row, SqlValue } from './libsql.ts';
import { int, text } from './rows.ts';
import type { Writer } from './writer.ts';

/** Whose budgets may have crossed a threshold. */
export type Crossing =
  | { readonly kind: 'reservation'; readonly id: string }
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'budget'; readonly level: BudgetLevel };

const ROWS: Readonly<Record<Crossing['kind'], string>> = {
  reservation: `SELECT b.scope, b.id, b.slot FROM reservation r
    JOIN run_level l ON l.run_id = r.run_id AND l.place IN ('', r.node)
    JOIN budget b ON b.scope = l.scope AND b.id = l.budget_id AND b.slot IN ('', r.day, r.week, r.month) WHERE r.id = ?`,
  run: `SELECT b.scope, b.id, b.slot FROM run_level l JOIN budget b ON b.scope = l.scope AND b.id = l.budget_id WHERE l.run_id = ?`,
  budget: `SELECT scope, id, slot FROM budget WHERE scope = ? AND id = ?`,
};

/** A call that cost more than its bound; its budget is shown as the bound and what it cost. */
const VIOLATION = `UNION ALL
  SELECT 'bound ' || r.id, 'bound-violated', 'run', r.run_id, 'lifetime', '',
    s.amount_nano * 100 / CASE WHEN r.amount_nano = 0 THEN 1 ELSE r.amount_nano END, r.amount_nano, s.amount_nano, 0, r.run_id
  FROM reservation r JOIN settlement s ON s.reservation_id = r.id WHERE r.id = ? AND s.amount_nano > r.amount_nano`;

const RUN_OF: Readonly<Record<Crossing['kind'], string>> = {
  reservation: '(SELECT run_id FROM reservation WHERE id = ?)',
  run: '?',
  budget: "CASE WHEN b.scope = 'run' THEN ? ELSE '' END",
};

const sqlOf = (kind: Crossing['kind']): string => `
  INSERT INTO cost_alert (place, name, kind, scope, budget_id, period, slot, percent, limit_nano, spent_nano, held_nano, run_id, at)
  SELECT (SELECT coalesce(max(place), 0) FROM cost_alert) + row_number() OVER (ORDER BY percent, scope, budget_id, slot), found.*, ?
  FROM (
    SELECT 'threshold ' || b.scope || ' ' || b.id || ' ' || b.slot || ' ' || b.limit_nano || ' ' || t.percent AS name,
      'threshold' AS kind, b.scope AS scope, b.id AS budget_id, b.period AS period, b.slot AS slot, t.percent AS percent,
      b.limit_nano AS limit_nano, b.spent_nano AS spent_nano, b.held_nano AS held_nano, ${RUN_OF[kind]} AS run_id
    FROM budget b JOIN alert_threshold t ON t.scope = b.scope AND t.id = b.id AND t.period = b.period
    WHERE (b.scope, b.id, b.slot) IN (${ROWS[kind]}) AND b.limit_nano IS NOT NULL AND t.percent > 0 AND b.spent_nano > 0
      AND b.spent_nano * 100 >= b.limit_nano * t.percent
    ${kind === 'reservation' ? VIOLATION : ''}
  ) found WHERE TRUE ON CONFLICT (name) DO NOTHING`;

const SQL = { reservation: sqlOf('reservation'), run: sqlOf('run'), budget: sqlOf('budget') } as const;
const ALERT_SQL: ReadonlySet<string> = new Set(Object.values(SQL));

/** Whether this statement writes alerts; how many is the number of its changes. */
export const writesAlerts = (statement: Guarded): boolean => ALERT_SQL.has(statement.sql);

/**
 * Writes an alert for each threshold that is reached and has none yet, in the unit that moved the money. One name stands for
 * one threshold of one limit in one period, so that no concurrency gives it twice; another limit is another promise.
 */
export const alertStatement = (crossing: Crossing, now: number): Guarded => {
  const keys: readonly SqlValue[] =
    crossing.kind === 'budget' ? [crossing.level.scope, crossing.level.id] : [crossing.id];
  const runId = crossing.kind === 'budget' ? crossing.level.id : crossing.id;
  const violation = crossing.kind === 'reservation' ? [crossing.id] : [];
  return { sql: SQL[crossing.kind], params: [now, runId, ...keys, ...violation] };
};

const COLUMNS =
  'a.place, a.kind, a.scope, a.budget_id, a.period, a.slot, a.percent, a.limit_nano, a.spent_nano, a.held_nano, a.run_id, a.at';

/** Alerts of one answer. */
const MAX_ALERTS = 200;

const toAlert = (row: Row): CostAlert => ({
  place: int(row, 'place'),
  // The constraints of the columns hold these three.
  kind: text(row, 'kind') as CostAlert['kind'],
  scope: text(row, 'scope') as BudgetScope,
  budgetId: text(row, 'budget_id'),
  period: text(row, 'period') as BudgetPeriod,
  slot: text(row, 'slot'),
  percent: int(row, 'percent'),
  limit: toMoney(int(row, 'limit_nano')),
  spent: toMoney(int(row, 'spent_nano')),
  held: toMoney(int(row, 'held_nano')),
  runId: text(row, 'run_id'),
  at: toIso(int(row, 'at')),
});

/** Alerts behind `after`, oldest first, at most 200. */
export const readAlerts = async (writer: Writer, after: number): Promise<readonly CostAlert[]> => {
  const answers = await read(writer, [
    {
      sql: `SELECT ${COLUMNS} FROM cost_alert a WHERE a.place > ? ORDER BY a.place LIMIT ${MAX_ALERTS}`,
      params: [after],
    },
  ]);
  return (answers[0]?.rows ?? []).map(toAlert);
};

export interface Delivery {
  readonly alert: CostAlert;
  /** Attempts that were made before. */
  readonly attempts: number;
}

/** What a channel has not delivered, given up, or put off beyond `now`, oldest first. */
export const readUndelivered = async (writer: Writer, channel: string, now: number): Promise<readonly Delivery[]> => {
  const answers = await read(writer, [
    {
      sql: `SELECT ${COLUMNS}, coalesce(d.attempts, 0) AS attempts FROM cost_alert a
            LEFT JOIN alert_delivery d ON d.alert_place = a.place AND d.channel = ?
            WHERE d.channel IS NULL OR (d.done_at IS NULL AND d.next_at <= ?) ORDER BY a.place LIMIT ${MAX_ALERTS}`,
      params: [channel, now],
    },
  ]);
  return (answers[0]?.rows ?? []).map((row) => ({ alert: toAlert(row), attempts: int(row, 'attempts') }));
};

/** How an attempt to deliver ended: `nextAt` where it is made again, null where it is done or given up. */
export const writeDelivery = async (
  writer: Writer,
  delivery: {
    readonly place: number;
    readonly channel: string;
    readonly attempts: number;
    readonly error: string | null;
    readonly nextAt: number | null;
    readonly now: number;
  },
): Promise<void> => {
  const { place, channel, attempts, error, nextAt, now } = delivery;
  await write(writer, [
    {
      sql: `INSERT INTO alert_delivery (alert_place, channel, attempts, next_at, done_at, error) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (alert_place, channel) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at,
              done_at = excluded.done_at, error = excluded.error`,
      params: [place, channel, attempts, nextAt ?? 0, nextAt === null ? now : null, error],
    },
  ]);
};
