import { writesAlerts } from './alert.ts';
import {
  CloutError,
  type Claim,
  type Committed,
  type RunEvent,
  type RunEventBody,
  type Unit,
} from '@cloutagent/contract';
import { expireApproval, insertApproval } from './approval.ts';
import { defect, write, type Guarded } from './ask.ts';
import { runFinished, runNotFound } from './claim.ts';
import { insertEvent, insertMoneyEvent } from './event.ts';
import { moneyStatements, settleOpenStatements, type MoneyMoment } from './money.ts';
import { int, json, text, toJson, UNFINISHED } from './rows.ts';
import { closeStatements, unlessSignalled, waitStatements } from './signal.ts';
import { insertIntent, insertStep } from './step.ts';
import type { Writer } from './writer.ts';

type State = NonNullable<Unit['state']>;

/** A unit that is stored, and whether it wrote alerts that somebody must be told of. */
export interface Stored extends Committed {
  readonly alerts: boolean;
}

/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED, SIGNALLED, RUN_CANCELLING.
 */
export const commitUnit = async (writer: Writer, claim: Claim, unit: Unit, moment: MoneyMoment): Promise<Stored> => {
  const { now } = moment;
  const events = unit.events ?? [];
  const money = unit.money ?? [];
  const settles = money.some((op) => op.op === 'settle');
  const before: readonly Guarded[] = [
    guardFence(claim, now),
    ...money.flatMap((op) => moneyStatements(claim, op, moment)),
    ...(unit.unless ?? []).map((topic) => unlessSignalled(claim.runId, topic)),
    ...(unit.intents ?? []).map((intent) => insertIntent(claim, intent, now)),
    ...(unit.steps ?? []).map((step) => insertStep(claim, step)),
    ...(unit.approvals ?? []).map((approval) => insertApproval(claim, approval, now)),
    ...(unit.expired ?? []).map((id) => expireApproval(claim.runId, id, now)),
    ...(unit.state === undefined ? [] : stateStatements(claim, unit.state, now)),
  ];
  const statements = [
    ...before,
    ...events.map((event) => insertEvent(claim.runId, event, now)),
    ...(settles ? [insertMoneyEvent(claim.runId, now)] : []),
  ];
  const answers = await write(writer, statements);
  const stored = answers.slice(before.length).flatMap(({ rows: [row] }, index): RunEvent[] => {
    const body = events[index];
    if (row === undefined) {
      // A run without a budget of its own has no money to show.
      if (body === undefined) return [];
      throw defect('an event was stored without a number');
    }
    // Built by `insertMoneyEvent` where it is not one of ours.
    return [{ seq: int(row, 'seq'), runId: claim.runId, at: now, body: body ?? (json(row, 'body') as RunEventBody) }];
  });
  const alerts = statements.some((statement, index) => writesAlerts(statement) && (answers[index]?.changes ?? 0) > 0);
  return { events: stored, alerts };
};

/** First of all: a worker that was replaced must change nothing. It also holds the run's row, so that `seq` has no rival. */
const guardFence = (claim: Claim, now: number): Guarded => ({
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
const stateStatements = (claim: Claim, state: State, now: number): readonly Guarded[] => {
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
