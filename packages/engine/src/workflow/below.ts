import type { RunEventBody, Unit } from '@cloutagent/contract';
import type { Drive } from './drive.ts';

/** A drive whose keys stand below a place, for work that was written to be a run of its own. */
export const driveBelow = (drive: Drive, place: string): Drive => {
  const { claim } = drive;
  const below = (key: string): string => `${place}/${key}`;
  const prefix = `${place}/`;
  const { rest } = drive;
  return {
    ...drive,
    place: prefix,
    claim: {
      ...claim,
      steps: [],
      openIntents: claim.openIntents
        .filter(({ key }) => key.startsWith(prefix))
        .map((intent) => ({ ...intent, key: intent.key.slice(prefix.length) })),
    },
    finished: (key, inputHash) => drive.finished(below(key), inputHash),
    onText: (delta) => drive.onText({ ...delta, step: below(delta.step) }),
    commit: (unit) => drive.commit(unitBelow(unit, below)),
    ...(rest === undefined ? {} : { rest: (key, until) => rest(below(key), until) }),
  };
};

const unitBelow = (unit: Unit, below: (key: string) => string): Unit => ({
  ...unit,
  ...(unit.steps === undefined ? {} : { steps: unit.steps.map((step) => ({ ...step, key: below(step.key) })) }),
  ...(unit.intents === undefined
    ? {}
    : { intents: unit.intents.map((intent) => ({ ...intent, key: below(intent.key) })) }),
  ...(unit.approvals === undefined
    ? {}
    : { approvals: unit.approvals.map((approval) => ({ ...approval, step: below(approval.step) })) }),
  ...(unit.events === undefined ? {} : { events: unit.events.map((event) => eventBelow(event, below)) }),
  ...(unit.money === undefined
    ? {}
    : { money: unit.money.map((op) => (op.op === 'reserve' ? { ...op, stepKey: below(op.stepKey) } : op)) }),
});

const eventBelow = (event: RunEventBody, below: (key: string) => string): RunEventBody =>
  'step' in event ? { ...event, step: below(event.step) } : event;
