import { CloutError, nodeOfStep, type BudgetShortage, type MoneyOp } from '@cloutagent/contract';
import { alertStatement } from './alert.ts';
import { defect, must, type Guarded } from './ask.ts';
import type { BudgetRow, Books, OpenReservation } from './books.ts';
import { int, text } from './rows.ts';
import type { CommitOrder, Statement } from './unit.ts';

type Reserve = Extract<MoneyOp, { op: 'reserve' }>;
type Proven = Extract<MoneyOp, { op: 'proven' }>;
type Settle = Extract<MoneyOp, { op: 'settle' }>;

/** Does what the driver says of its money. True where alerts were written. Throws BUDGET_EXHAUSTED. */
export const moveMoney = (books: Books, order: CommitOrder, op: MoneyOp): boolean => {
  switch (op.op) {
    case 'reserve':
      reserve(books, order, op);
      return false;
    case 'proven':
      prove(books, order, op);
      return false;
    case 'settle':
      return settle(books, order, op);
  }
};

/** Looks whether the amount fits on every level, and takes it on all of them. */
const reserve = (books: Books, order: CommitOrder, op: Reserve): void => {
  const { runId, moment } = order;
  const { day, week, month } = moment.slots;
  const amount = op.amountNanoUsd;
  // A reservation takes the budget of its node, whoever makes it.
  const node = nodeOfStep(op.stepKey);
  const rows = books.rowsOf(runId, node, moment.slots);
  if (moment.enforced) {
    const [tightest] = rows.filter(isLimited).toSorted(byFree);
    if (tightest !== undefined && freeOf(tightest) < amount) throw exhausted(amount, tightest);
  }
  const place = (books.runOf(runId).reservation += 1);
  books.sheet.add('reservation', [
    op.id,
    order.projectId,
    runId,
    place,
    op.stepKey,
    node,
    op.attempt,
    op.model,
    op.priceId,
    amount,
    moment.now,
    day,
    week,
    month,
  ]);
  books.move(rows, 0, amount);
  books.open.set(op.id, { runId, amount, rows });
  books.onUndo(() => books.open.delete(op.id));
};

type Limited = BudgetRow & { readonly limit: number };
const isLimited = (row: BudgetRow): row is Limited => row.limit !== null;
const freeOf = (row: Limited): number => row.limit - row.spent - row.held;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byFree = (a: Limited, b: Limited): number =>
  freeOf(a) - freeOf(b) || byText(a.slot, b.slot) || byText(a.scope, b.scope);

const exhausted = (neededNanoUsd: number, row: Limited): CloutError => {
  const { scope, id, period, slot, limit, spent, held } = row;
  const shortage: BudgetShortage = {
    scope,
    id,
    period,
    slot,
    limitNanoUsd: limit,
    spentNanoUsd: spent,
    heldNanoUsd: held,
    neededNanoUsd,
  };
  return new CloutError('BUDGET_EXHAUSTED', `The budget of the ${scope} does not hold the next model call`, {
    details: { ...shortage },
  });
};

/** What the start of an answer proves: the first word counts. Later than the settlement it is of no use. */
const prove = (books: Books, { runId, projectId, moment }: CommitOrder, op: Proven): void => {
  const known = books.open.get(op.id);
  const amount = known?.runId === runId ? known.amount : amountOf(books, runId, op.id);
  if (amount === undefined) return;
  books.sheet.add('proof', [
    op.id,
    projectId,
    runId,
    Math.min(op.boundNanoUsd, amount),
    op.usage.inputTokens,
    op.usage.cacheReadTokens,
    op.usage.cacheWrite5mTokens,
    op.usage.cacheWrite1hTokens,
    op.requestId,
    moment.now,
  ]);
};

const amountOf = (books: Books, runId: string, id: string): number | undefined => {
  const sql = 'SELECT amount_nano FROM reservation WHERE id = ? AND run_id = ?';
  const [row] = books.sheet.run(sql, [id, runId]).rows;
  return row === undefined ? undefined : int(row, 'amount_nano');
};

/** Once per reservation, and only by the run that made it. An unknown outcome cannot cost more than was reserved. */
const settle = (books: Books, run: CommitOrder, op: Settle): boolean => {
  const { id, amountNanoUsd: amount, usage } = op;
  const { amount: reserved, rows } = openReservation(books, run.runId, id);
  if (op.outcome === 'unknown' && amount > reserved)
    throw defect('An unknown outcome cannot cost more than was reserved', { id, reserved });
  books.sheet.add('settlement', [
    id,
    run.projectId,
    run.runId,
    op.outcome,
    amount,
    usage?.inputTokens ?? null,
    usage?.cacheReadTokens ?? null,
    usage?.cacheWrite5mTokens ?? null,
    usage?.cacheWrite1hTokens ?? null,
    usage?.outputTokens ?? null,
    usage?.webSearchRequests ?? null,
    usage?.traits?.join(' ') ?? null,
    op.requestId,
    run.moment.now,
  ]);
  books.open.delete(id);
  books.move(rows, amount, -reserved);
  const due = rows.filter((row) => row.alertAt !== null && row.spent >= row.alertAt);
  if (due.length === 0 && amount <= reserved) return false;
  const { changes } = must(books.sheet, alertStatement({ kind: 'reservation', id }, run.moment.now));
  for (const row of due) books.readAlertAt(row);
  return changes > 0;
};

const openReservation = (books: Books, runId: string, id: string): OpenReservation => {
  const known = books.open.get(id);
  if (known?.runId === runId) return known;
  const [row] = books.sheet.run(
    `SELECT amount_nano, node, day, week, month,
       (SELECT count(*) FROM settlement WHERE reservation_id = reservation.id) AS settled
     FROM reservation WHERE id = ? AND run_id = ?`,
    [id, runId],
  ).rows;
  if (row === undefined) throw defect('A settlement names a reservation that its run does not have', { id });
  if (int(row, 'settled') > 0) throw defect('A reservation was settled already', { id });
  // It belongs to the periods in which it was made.
  const slots = { day: text(row, 'day'), week: text(row, 'week'), month: text(row, 'month') };
  return { runId, amount: int(row, 'amount_nano'), rows: books.rowsOf(runId, text(row, 'node'), slots) };
};

const OPEN = `r.run_id = ? AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.reservation_id = r.id)`;

const BOUND = `coalesce((SELECT p.bound_nano FROM reservation_proof p WHERE p.reservation_id = r.id), r.amount_nano)`;

const openSum = (amount: string): string => `(SELECT coalesce(sum(${amount}), 0) FROM reservation r
  JOIN run_level l ON l.run_id = r.run_id AND l.place IN ('', r.node)
  WHERE ${OPEN} AND l.scope = budget.scope AND l.budget_id = budget.id AND budget.slot IN ('', r.day, r.week, r.month))`;

/**
 * Books every open reservation of a run as `unknown` at its bound, or what was proven of it: nobody is left who could learn
 * what was billed. Money is moved before the rows are written, since the rows say what is open.
 */
export const settleOpen = (runId: string, now: number): Guarded => ({
  // Hardly ever there is one, and what follows is dear.
  sql: `SELECT 1 AS found FROM reservation r WHERE ${OPEN} LIMIT 1`,
  params: [runId],
  leadsTo: settleOpenStatements(runId, now),
});

const settleOpenStatements = (runId: string, now: number): readonly Statement[] => [
  {
    sql: `UPDATE budget SET held_nano = held_nano - ${openSum('r.amount_nano')}, spent_nano = spent_nano + ${openSum(BOUND)}
          WHERE (scope, id) IN (SELECT scope, budget_id FROM run_level WHERE run_id = ?)`,
    params: [runId, runId, runId],
    forgets: 'all',
  },
  {
    sql: `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, settled_at)
          SELECT r.id, r.project_id, r.run_id, 'unknown', ${BOUND}, ? FROM reservation r WHERE ${OPEN}`,
    params: [now, runId],
  },
  alertStatement({ kind: 'run', id: runId }, now),
];
