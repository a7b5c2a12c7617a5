import type { Claim, Committed, RunEvent, RunEventBody, Unit } from '@cloutagent/contract';
import { defect } from './ask.ts';
import { toJson } from './rows.ts';
import { toStepText } from './step.ts';
import type { MoneyMoment } from './unit.ts';
import type { Writer } from './writer.ts';

/** A unit that is stored, and whether it wrote alerts that somebody must be told of. */
export interface Stored extends Committed {
  readonly alerts: boolean;
}

/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED, SIGNALLED, RUN_CANCELLING.
 */
export const commitUnit = async (writer: Writer, claim: Claim, unit: Unit, moment: MoneyMoment): Promise<Stored> => {
  const { runId, fence, run } = claim;
  const { events = [], money = [], steps = [], ...others } = unit;
  const outcome = await writer.submit({
    mode: 'commit',
    runId,
    projectId: run.projectId,
    fence,
    moment,
    money,
    steps: steps.map(toStepText),
    events: events.map((body) => ({ type: body.type, body: toJson(body) })),
    others: Object.keys(others).length === 0 ? null : toJson(others),
  });
  if (outcome.kind !== 'performed') throw defect('a commit was answered as something else');
  const { performed } = outcome;
  // The thread wrote it, in place of one of ours.
  const shown = performed.money === null ? [] : [JSON.parse(performed.money) as RunEventBody];
  const stored = [...events, ...shown].map((body, index): RunEvent => ({
    seq: performed.seq + index,
    runId,
    at: moment.now,
    body,
  }));
  return { events: stored, alerts: performed.alerts };
};
