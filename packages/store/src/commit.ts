import {
  CloutError,
  type Claim,
  type Committed,
  type RunEvent,
  type RunEventBody,
  type Unit,
} from '@cloutagent/contract';
import { writesAlerts } from './alert.ts';
import { defect, write, type Guarded } from './ask.ts';
import { runFinished, runNotFound } from './claim.ts';
import { moneyStatements, settleOpenStatements, type MoneyMoment } from './money.ts';
import { int, json, text, toJson } from './rows.ts';
import { insertIntent, insertStep } from './step.ts';
import type { Writer } from './writer.ts';

type State = NonNullable<Unit['state']>;

/** A unit that is stored, and whether it wrote alerts that somebody must be told of. */
export interface Stored extends Committed {
  readonly alerts: boolean;
}

/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED.
 */
export const commitUnit = async (writer: Writer, claim: Claim, unit: Unit, moment: MoneyMoment): Promise<Stored> => {
  const { now } = moment;
  const events = unit.events ?? [];
  const money = unit.money ?? [];
  const settles = money.some((op) => op.op === 'settle');
  const before: readonly Guarded[] = [
    guardFence(claim, now),
    ...money.flatMap((op) => moneyStatements(claim, op, moment)),
    ...(unit.intents ?? []).map((intent) => insertIntent(claim, intent, now)),
    ...(unit.steps ?? []).map((step) => insertStep(claim, step)),
    ...(unit.state === undefined ? [] : stateStatements(claim, unit.state, now)),
  ];
  const statements = [
    ...before,
    ...events.map((event) => insertEvent(claim, event, now)),
    ...(settles ? [insertMoneyEvent(claim, now)] : []),
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

/** Nano-dollars as the JSON of `Money`, in SQL. */
const moneySql = (column: string): string =>
  `'{"usd":"' || (${column} / 1000000000) || '.' || substr(CAST(1000000000 + ${column} % 1000000000 AS TEXT), 2)
    || '","nanoUsd":' || ${column} || '}'`;

/** Made of the row itself, after all that the unit did: other calls of the run may have moved it since anybody looked. */
const insertMoneyEvent = (claim: Claim, now: number): Guarded => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        SELECT ?, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = ?), ?, ?, 'money',
          '{"type":"money","limit":' || CASE WHEN limit_nano IS NULL THEN 'null' ELSE ${moneySql('limit_nano')} END
          || ',"spent":' || ${moneySql('spent_nano')} || ',"held":' || ${moneySql('held_nano')} || '}'
        FROM budget WHERE scope = 'run' AND id = ? AND slot = '' RETURNING seq, body`,
  params: [claim.runId, claim.runId, claim.run.projectId, now, claim.runId],
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
