import {
  CloutError,
  nodeOfStep,
  type BudgetPeriod,
  type BudgetScope,
  type BudgetShortage,
  type Claim,
  type MoneyOp,
} from '@cloutagent/contract';
import { alertStatement } from './alert.ts';
import { defect, type Guarded } from './ask.ts';
import type { Slots } from './calendar.ts';
import type { Row, SqlValue } from './libsql.ts';
import { int, text } from './rows.ts';

type Reserve = Extract<MoneyOp, { op: 'reserve' }>;
type Proven = Extract<MoneyOp, { op: 'proven' }>;
type Settle = Extract<MoneyOp, { op: 'settle' }>;

/** When a unit is made: the time, the periods it lies in, and whether limits are held or only recorded. */
export interface MoneyMoment {
  readonly now: number;
  readonly slots: Slots;
  readonly enforced: boolean;
}

export const moneyStatements = (claim: Claim, op: MoneyOp, moment: MoneyMoment): readonly Guarded[] => {
  switch (op.op) {
    case 'reserve':
      return reserveStatements(claim, op, moment);
    case 'proven':
      return [provenStatement(claim, op, moment.now)];
    case 'settle':
      return settleStatements(claim, op, moment.now);
  }
};

/** Rows of every budget that a step of a run counts on: the levels of the run, over its lifetime and over the periods of now. */
const ROWS_OF_STEP = `FROM run_level l JOIN budget b ON b.scope = l.scope AND b.id = l.budget_id
  WHERE l.run_id = ? AND l.place IN ('', ?) AND b.slot IN ('', ?, ?, ?)`;

/** The same of a reservation that was made: it belongs to the periods in which it was. */
const ROWS_OF_RESERVATION = `FROM reservation r
  JOIN run_level l ON l.run_id = r.run_id AND l.place IN ('', r.node)
  JOIN budget b ON b.scope = l.scope AND b.id = l.budget_id AND b.slot IN ('', r.day, r.week, r.month)
  WHERE r.id = ?`;

/**
 * Takes the amount on every level, then looks whether one is above its limit: that level takes the whole unit back. In this
 * order, since where rows are locked one by one the update is what locks them.
 */
const reserveStatements = (claim: Claim, op: Reserve, moment: MoneyMoment): readonly Guarded[] => {
  const { day, week, month } = moment.slots;
  // A reservation takes the budget of its node, whoever makes it.
  const node = nodeOfStep(op.stepKey);
  const rows: readonly SqlValue[] = [claim.runId, node, day, week, month];
  return [
    {
      sql: `UPDATE budget SET held_nano = held_nano + ? WHERE (scope, id, slot) IN (SELECT b.scope, b.id, b.slot ${ROWS_OF_STEP})`,
      params: [op.amountNanoUsd, ...rows],
    },
    {
      sql: `INSERT INTO reservation (id, project_id, run_id, place, step_key, node, attempt, model, price_id, amount_nano,
              created_at, day, week, month)
            SELECT ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM reservation WHERE run_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
            WHERE ? = 0 OR NOT EXISTS (SELECT 1 ${ROWS_OF_STEP} AND b.spent_nano + b.held_nano > b.limit_nano)`,
      params: [
        op.id,
        claim.run.projectId,
        claim.runId,
        claim.runId,
        op.stepKey,
        node,
        op.attempt,
        op.model,
        op.priceId,
        op.amountNanoUsd,
        moment.now,
        day,
        week,
        month,
        moment.enforced,
        ...rows,
      ],
      expectChanges: 1,
      explain: {
        sql: `SELECT b.scope, b.id, b.period, b.slot, b.limit_nano, b.spent_nano, b.held_nano ${ROWS_OF_STEP}
              AND b.limit_nano IS NOT NULL ORDER BY b.limit_nano - b.spent_nano - b.held_nano, b.slot, b.scope LIMIT 1`,
        params: rows,
      },
      refuse: ([row]) => exhausted(op.amountNanoUsd, row),
    },
  ];
};

const exhausted = (neededNanoUsd: number, row: Row | undefined): CloutError => {
  if (row === undefined) return defect('A reservation was refused by no budget');
  const shortage: BudgetShortage = {
    // The constraints of the columns hold these.
    scope: text(row, 'scope') as BudgetScope,
    id: text(row, 'id'),
    period: text(row, 'period') as BudgetPeriod,
    slot: text(row, 'slot'),
    limitNanoUsd: int(row, 'limit_nano'),
    spentNanoUsd: int(row, 'spent_nano'),
    // The row was read with this reservation on it.
    heldNanoUsd: int(row, 'held_nano') - neededNanoUsd,
    neededNanoUsd,
  };
  return new CloutError('BUDGET_EXHAUSTED', `The budget of the ${shortage.scope} does not hold the next model call`, {
    details: { ...shortage },
  });
};

/** What the start of an answer proves: the first word counts. Later than the settlement it is of no use and changes nothing. */
const provenStatement = (claim: Claim, op: Proven, now: number): Guarded => ({
  sql: `INSERT INTO reservation_proof (reservation_id, project_id, run_id, bound_nano, input_tokens, cache_read_tokens,
          cache_write_5m_tokens, cache_write_1h_tokens, request_id, at)
        SELECT id, project_id, run_id, CASE WHEN ? < amount_nano THEN ? ELSE amount_nano END, ?, ?, ?, ?, ?, ? FROM reservation
        WHERE id = ? AND run_id = ? ON CONFLICT (reservation_id) DO NOTHING`,
  params: [
    op.boundNanoUsd,
    op.boundNanoUsd,
    op.usage.inputTokens,
    op.usage.cacheReadTokens,
    op.usage.cacheWrite5mTokens,
    op.usage.cacheWrite1hTokens,
    op.requestId,
    now,
    op.id,
    claim.runId,
  ],
});

/** Once per reservation, and only by the run that made it. An unknown outcome cannot cost more than was reserved. */
const settleStatements = (claim: Claim, op: Settle, now: number): readonly Guarded[] => [
  {
    sql: `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, input_tokens, cache_read_tokens,
            cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, web_searches, traits, request_id, settled_at)
          SELECT id, project_id, run_id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM reservation
          WHERE id = ? AND run_id = ? AND (? <> 'unknown' OR ? <= amount_nano)
            AND NOT EXISTS (SELECT 1 FROM settlement WHERE reservation_id = reservation.id)`,
    params: [
      op.outcome,
      op.amountNanoUsd,
      op.usage?.inputTokens ?? null,
      op.usage?.cacheReadTokens ?? null,
      op.usage?.cacheWrite5mTokens ?? null,
      op.usage?.cacheWrite1hTokens ?? null,
      op.usage?.outputTokens ?? null,
      op.usage?.webSearchRequests ?? null,
      op.usage?.traits?.join(' ') ?? null,
      op.requestId,
      now,
      op.id,
      claim.runId,
      op.outcome,
      op.amountNanoUsd,
    ],
    expectChanges: 1,
    explain: {
      sql: `SELECT amount_nano, (SELECT count(*) FROM settlement WHERE reservation_id = reservation.id) AS settled
            FROM reservation WHERE id = ? AND run_id = ?`,
      params: [op.id, claim.runId],
    },
    refuse: ([row]) => {
      if (row === undefined)
        return defect('A settlement names a reservation that its run does not have', { id: op.id });
      if (int(row, 'settled') > 0) return defect('A reservation was settled already', { id: op.id });
      return defect('An unknown outcome cannot cost more than was reserved', {
        id: op.id,
        reserved: int(row, 'amount_nano'),
      });
    },
  },
  {
    sql: `UPDATE budget SET held_nano = held_nano - (SELECT amount_nano FROM reservation WHERE id = ?), spent_nano = spent_nano + ?
          WHERE (scope, id, slot) IN (SELECT b.scope, b.id, b.slot ${ROWS_OF_RESERVATION})`,
    params: [op.id, op.amountNanoUsd, op.id],
  },
  alertStatement({ kind: 'reservation', id: op.id }, now),
];

const OPEN = `r.run_id = ? AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.reservation_id = r.id)`;

const BOUND = `coalesce((SELECT p.bound_nano FROM reservation_proof p WHERE p.reservation_id = r.id), r.amount_nano)`;

const openSum = (amount: string): string => `(SELECT coalesce(sum(${amount}), 0) FROM reservation r
  JOIN run_level l ON l.run_id = r.run_id AND l.place IN ('', r.node)
  WHERE ${OPEN} AND l.scope = budget.scope AND l.budget_id = budget.id AND budget.slot IN ('', r.day, r.week, r.month))`;

/**
 * Books every open reservation of a run as `unknown` at its bound, or what was proven of it: nobody is left who could learn
 * what was billed. Money is moved before the rows are written, since the rows say what is open.
 */
export const settleOpenStatements = (runId: string, now: number): readonly Guarded[] => [
  {
    sql: `UPDATE budget SET held_nano = held_nano - ${openSum('r.amount_nano')}, spent_nano = spent_nano + ${openSum(BOUND)}
          WHERE (scope, id) IN (SELECT scope, budget_id FROM run_level WHERE run_id = ?)
            AND EXISTS (SELECT 1 FROM reservation r WHERE ${OPEN})`,
    params: [runId, runId, runId, runId],
  },
  {
    sql: `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, settled_at)
          SELECT r.id, r.project_id, r.run_id, 'unknown', ${BOUND}, ? FROM reservation r WHERE ${OPEN}`,
    params: [now, runId],
  },
  alertStatement({ kind: 'run', id: runId }, now),
];
