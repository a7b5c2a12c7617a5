import {
  CloutError,
  type Claim,
  type Committed,
  type RunEvent,
  type RunEventBody,
  type Unit,
} from '@cloutagent/contract';
import { defect, write, type Guarded } from './ask.ts';
import { runFinished, runNotFound } from './claim.ts';
import { moneyStatements, settleOpenStatements } from './money.ts';
import { int, text, toJson } from './rows.ts';
import { insertIntent, insertStep } from './step.ts';
import type { Writer } from './writer.ts';

type State = NonNullable<Unit['state']>;

/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED.
 */
export const commitUnit = async (writer: Writer, claim: Claim, unit: Unit, now: number): Promise<Committed> => {
  const events = unit.events ?? [];
  const before: readonly Guarded[] = [
    guardFence(claim, now),
    ...(unit.money ?? []).flatMap((op) => moneyStatements(claim, op, now)),
    ...(unit.intents ?? []).map((intent) => insertIntent(claim, intent, now)),
    ...(unit.steps ?? []).map((step) => insertStep(claim, step)),
    ...(unit.state === undefined ? [] : stateStatements(claim, unit.state, now)),
  ];
  const answers = await write(writer, [...before, ...events.map((event) => insertEvent(claim, event, now))]);
  return {
    events: events.map((body, index): RunEvent => {
      const row = answers[before.length + index]?.rows[0];
      if (row === undefined) throw defect('an event was stored without a number');
      return { seq: int(row, 'seq'), runId: claim.runId, at: now, body };
    }),
  };
};

/** First of all: a worker that was replaced must change nothing. It also holds the run's row, so that `seq` has no rival. */
const guardFence = (claim: Claim, now: number): Guarded => ({
  sql: `UPDATE run SET updated_at = ? WHERE id = ? AND fence = ? AND status IN ('running', 'paused')`,
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

const insertEvent = (claim: Claim, body: RunEventBody, now: number): Guarded => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = ?), ?, ?, ?, ?) RETURNING seq`,
  params: [claim.runId, claim.runId, claim.run.projectId, now, body.type, toJson(body)],
});

/** A run that is not driven holds no money: what its driver left open is booked at the bound. */
const stateStatements = (claim: Claim, state: State, now: number): readonly Guarded[] => {
  const finished = state.status !== 'running' && state.status !== 'paused';
  return [
    ...(state.status === 'running' ? [] : settleOpenStatements(claim.runId, now)),
    {
      sql: 'UPDATE run SET status = ?, reason = ?, finished_at = ? WHERE id = ?',
      params: [state.status, state.reason === null ? null : toJson(state.reason), finished ? now : null, claim.runId],
    },
  ];
};
