import { CloutError, type Unit } from '@cloutagent/contract';
import { writesAlerts } from './alert.ts';
import { expireApproval, insertApproval } from './approval.ts';
import { must, type Guarded } from './ask.ts';
import type { Books } from './books.ts';
import { runFinished, runNotFound } from './claim.ts';
import { moneyEvent } from './event.ts';
import { moveMoney, settleOpen } from './money.ts';
import { int, text, toJson } from './rows.ts';
import { closeStatements, unlessSignalled, waitStatements } from './signal.ts';
import { intentGuard, intentRow, stepGuard, stepRow } from './step.ts';
import type { CommitOrder, Others, Performed } from './unit.ts';

type State = NonNullable<Unit['state']>;

/** Does a driver's unit in the thread, inside of a transaction. Throws what the driver is told. */
export const perform = (books: Books, order: CommitOrder): Performed => {
  const { sheet } = books;
  const { runId, moment } = order;
  const { now } = moment;
  // Written from them.
  const others = order.others === null ? {} : (JSON.parse(order.others) as Others);
  let alerts = false;
  const run = books.runOf(runId);
  if (run.fence !== order.fence) must(sheet, guardFence(order));
  for (const op of order.money) alerts = moveMoney(books, order, op) || alerts;
  for (const topic of others.unless ?? []) must(sheet, unlessSignalled(runId, topic));
  for (const intent of others.intents ?? []) sheet.add('intent', intentRow(order, intent, now), intentGuard(intent));
  for (const step of order.steps) sheet.add('step', stepRow(order, (run.step += 1), step), stepGuard(order, step));
  for (const approval of others.approvals ?? []) must(sheet, insertApproval(order, approval, now));
  for (const id of others.expired ?? []) must(sheet, expireApproval(runId, id, now));
  const carryOut = (statement: Guarded): void => {
    if (must(sheet, statement).changes === 0) return;
    if (statement.forgets !== undefined) books.forget(statement.forgets);
    if (writesAlerts(statement)) alerts = true;
    for (const next of statement.leadsTo ?? []) carryOut(next);
  };
  if (others.state !== undefined) for (const statement of stateStatements(order, others.state)) carryOut(statement);
  const seq = run.event + 1;
  const add = (type: string, body: string): void => {
    sheet.add('event', [runId, (run.event += 1), order.projectId, now, type, body]);
  };
  for (const { type, body } of order.events) add(type, body);
  const settles = order.money.some((op) => op.op === 'settle');
  const money = settles ? moneyOf(books, runId) : null;
  if (money !== null) add('money', money);
  // The last event says when the run was at work, so that its row is left alone; as it is by money that is only held, or proven.
  const isSeen = settles || order.steps.length > 0 || order.others !== null;
  if (run.event < seq && isSeen) sheet.run('UPDATE run SET updated_at = ? WHERE id = ?', [now, runId]);
  return { seq, money, alerts };
};

/** What the run has spent and holds after all that the unit did. A run without a budget of its own has no money to show. */
const moneyOf = (books: Books, runId: string): string | null => {
  const budget = books.budgetOf(runId);
  return budget === undefined ? null : toJson(moneyEvent(budget.limit, budget.spent, budget.held));
};

/** A worker that was replaced must change nothing. */
const guardFence = ({ runId, fence: held, moment }: CommitOrder): Guarded => ({
  // By the one column that says the same as the status, without a list of them.
  sql: 'UPDATE run SET updated_at = ? WHERE id = ? AND fence = ? AND finished_at IS NULL',
  params: [moment.now, runId, held],
  expectChanges: 1,
  explain: { sql: 'SELECT fence, status FROM run WHERE id = ?', params: [runId] },
  refuse: ([row]) => {
    if (row === undefined) return runNotFound(runId);
    const fence = int(row, 'fence');
    if (fence === held) return runFinished(runId, text(row, 'status'));
    return new CloutError('FENCED', `Run ${runId} was taken over`, {
      details: { held, current: fence },
    });
  },
});

/** A run that is not driven holds no money: what its driver left open is booked at the bound. */
const stateStatements = (order: CommitOrder, state: State): readonly Guarded[] => {
  const { runId, moment } = order;
  const { now } = moment;
  const { status, reason, waits = [] } = state;
  const finished = status === 'completed' || status === 'failed' || status === 'cancelled';
  return [
    ...(status === 'running' ? [] : [settleOpen(runId, now)]),
    {
      // A cancellation was promised to somebody, so that nothing else can come of the run any more.
      sql: `UPDATE run SET status = ?, reason = ?, finished_at = ? WHERE id = ? AND (status <> 'cancelling' OR ? = 'cancelled')`,
      ...(finished ? { forgets: { runId } } : {}),
      params: [status, reason === null ? null : toJson(reason), finished ? now : null, runId, status],
      expectChanges: 1,
      refuse: () => new CloutError('RUN_CANCELLING', `Run ${runId} is being cancelled`),
    },
    ...(status === 'waiting' ? waits.flatMap((wait) => waitStatements(order, wait)) : []),
    ...(finished ? closeStatements(runId, now) : []),
  ];
};
