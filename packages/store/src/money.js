import { CloutError } from '@cloutagent/contract';
import { defect } from './ask.js';
import { int, intOrNull } from './rows.js';
const SCOPE_ORDER = { project: 0, run: 1 };
/** Each level once, in one order for everybody, so that the level that refuses is always the same (and row locks can never cross). */
export const inLockOrder = (levels) =>
  [...new Map(levels.map((level) => [`${level.scope} ${level.id}`, level])).values()].toSorted(
    (a, b) => SCOPE_ORDER[a.scope] - SCOPE_ORDER[b.scope] || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
export const moneyStatements = (claim, op, now) =>
  op.op === 'reserve' ? reserveStatements(claim, op, now) : settleStatements(claim, op, now);
/** All levels or none: a level that refuses takes the whole unit back. */
const reserveStatements = (claim, op, now) => {
  const levels = inLockOrder(op.levels);
  return [
    {
      // The levels are those that the run was started with: forgetting one would let the run pass its limit.
      sql: `INSERT INTO reservation (id, project_id, run_id, place, step_key, attempt, model, price_id, amount_nano, created_at)
            SELECT ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM reservation WHERE run_id = ?), ?, ?, ?, ?, ?, ?
            WHERE (SELECT count(*) FROM run_level WHERE run_id = ?) = ?`,
      params: [
        op.id,
        claim.run.projectId,
        claim.runId,
        claim.runId,
        op.stepKey,
        op.attempt,
        op.model,
        op.priceId,
        op.amountNanoUsd,
        now,
        claim.runId,
        levels.length,
      ],
      expectChanges: 1,
      refuse: () => defect('A reservation must name exactly the budget levels of its run', { levels }),
    },
    ...levels.map((level) => ({
      sql: `UPDATE budget SET held_nano = held_nano + ?
              WHERE scope = ? AND id = ? AND (limit_nano IS NULL OR spent_nano + held_nano + ? <= limit_nano)
                AND EXISTS (SELECT 1 FROM run_level WHERE run_id = ? AND scope = budget.scope AND budget_id = budget.id)`,
      params: [op.amountNanoUsd, level.scope, level.id, op.amountNanoUsd, claim.runId],
      expectChanges: 1,
      explain: {
        sql: `SELECT limit_nano, spent_nano, held_nano FROM budget
                JOIN run_level ON run_level.scope = budget.scope AND budget_id = budget.id
                WHERE budget.scope = ? AND budget.id = ? AND run_id = ?`,
        params: [level.scope, level.id, claim.runId],
      },
      refuse: ([row]) => exhausted(level, op.amountNanoUsd, row),
    })),
  ];
};
const exhausted = (level, neededNanoUsd, row) => {
  const limitNanoUsd = row === undefined ? null : intOrNull(row, 'limit_nano');
  if (row === undefined || limitNanoUsd === null)
    return defect('A reservation names a budget level that its run does not have', { level });
  const shortage = {
    scope: level.scope,
    id: level.id,
    limitNanoUsd,
    spentNanoUsd: int(row, 'spent_nano'),
    heldNanoUsd: int(row, 'held_nano'),
    neededNanoUsd,
  };
  return new CloutError('BUDGET_EXHAUSTED', `The budget of the ${level.scope} does not hold the next model call`, {
    details: { ...shortage },
  });
};
/** Once per reservation, and only by the run that made it. An unknown outcome cannot cost more than was reserved. */
const settleStatements = (claim, op, now) => [
  {
    sql: `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, input_tokens, cache_read_tokens,
            cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, request_id, settled_at)
          SELECT id, project_id, run_id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM reservation
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
          WHERE (scope, id) IN (SELECT scope, budget_id FROM run_level WHERE run_id = ?)`,
    params: [op.id, op.amountNanoUsd, claim.runId],
  },
];
const OPEN_SUM = `(SELECT coalesce(sum(amount_nano), 0) FROM reservation
  WHERE run_id = ? AND NOT EXISTS (SELECT 1 FROM settlement WHERE reservation_id = reservation.id))`;
/**
 * Books every open reservation of a run as `unknown` at its bound: nobody is left who could learn what was billed.
 * Money is moved before the rows are written, since the rows say what is open.
 */
export const settleOpenStatements = (runId, now) => [
  {
    sql: `UPDATE budget SET held_nano = held_nano - ${OPEN_SUM}, spent_nano = spent_nano + ${OPEN_SUM}
          WHERE (scope, id) IN (SELECT scope, budget_id FROM run_level WHERE run_id = ?)`,
    params: [runId, runId, runId],
  },
  {
    sql: `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, settled_at)
          SELECT id, project_id, run_id, 'unknown', amount_nano, ? FROM reservation
          WHERE run_id = ? AND NOT EXISTS (SELECT 1 FROM settlement WHERE reservation_id = reservation.id)`,
    params: [now, runId],
  },
];
//# sourceMappingURL=money.js.map
