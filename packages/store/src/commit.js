import { CloutError } from '@cloutagent/contract';
import { expireApproval, insertApproval } from './approval.js';
import { defect, write } from './ask.js';
import { runFinished, runNotFound } from './claim.js';
import { insertEvent } from './event.js';
import { moneyStatements, settleOpenStatements } from './money.js';
import { int, text, toJson, UNFINISHED } from './rows.js';
import { closeStatements, unlessSignalled, waitStatements } from './signal.js';
import { insertIntent, insertStep } from './step.js';
/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED, SIGNALLED, RUN_CANCELLING.
 */
export const commitUnit = async (writer, claim, unit, now) => {
  const events = unit.events ?? [];
  const before = [
    guardFence(claim, now),
    ...(unit.money ?? []).flatMap((op) => moneyStatements(claim, op, now)),
    ...(unit.unless ?? []).map((topic) => unlessSignalled(claim.runId, topic)),
    ...(unit.intents ?? []).map((intent) => insertIntent(claim, intent, now)),
    ...(unit.steps ?? []).map((step) => insertStep(claim, step)),
    ...(unit.approvals ?? []).map((approval) => insertApproval(claim, approval, now)),
    ...(unit.expired ?? []).map((id) => expireApproval(claim.runId, id, now)),
    ...(unit.state === undefined ? [] : stateStatements(claim, unit.state, now)),
  ];
  const answers = await write(writer, [...before, ...events.map((event) => insertEvent(claim.runId, event, now))]);
  return {
    events: events.map((body, index) => {
      const row = answers[before.length + index]?.rows[0];
      if (row === undefined) throw defect('an event was stored without a number');
      return { seq: int(row, 'seq'), runId: claim.runId, at: now, body };
    }),
  };
};
/** First of all: a worker that was replaced must change nothing. It also holds the run's row, so that `seq` has no rival. */
const guardFence = (claim, now) => ({
  sql: `UPDATE run SET updated_at = ? WHERE id = ? AND fence = ? AND ${UNFINISHED}`,
  params: [now, claim.runId, claim.fence],
  expectChanges: 1,
  explain: { sql: 'SELECT fence, status FROM run WHERE id = ?', params: [claim.runId] },
  refuse: ([row]) => {
    if (row === undefined) return runNotFound(claim.runId);
    const fence = int(row, 'fence');
    if (fence === claim.fence) return runFinished(claim.runId, text(row, 'status'));
    return new CloutError('FENCED', `Run ${claim.runId} was taken over`, {
      details: { held: claim.fence, current: fence },
    });
  },
});
/** A run that is not driven holds no money: what its driver left open is booked at the bound. */
const stateStatements = (claim, state, now) => {
  const { runId } = claim;
  const { status, reason, waits = [] } = state;
  const finished = status === 'completed' || status === 'failed' || status === 'cancelled';
  return [
    ...(status === 'running' ? [] : settleOpenStatements(runId, now)),
    {
      // A cancellation was promised to somebody, so that nothing else can come of the run any more.
      sql: `UPDATE run SET status = ?, reason = ?, finished_at = ? WHERE id = ? AND (status <> 'cancelling' OR ? = 'cancelled')`,
      params: [status, reason === null ? null : toJson(reason), finished ? now : null, runId, status],
      expectChanges: 1,
      refuse: () => new CloutError('RUN_CANCELLING', `Run ${runId} is being cancelled`),
    },
    ...(status === 'waiting' ? waits.flatMap((wait) => waitStatements(claim, wait)) : []),
    ...(finished ? closeStatements(runId, now) : []),
  ];
};
//# sourceMappingURL=commit.js.map
