import type { MoneyOp } from '@cloutagent/contract';
import type { Cargo, CommitOrder, Outcome, SqlUnit, StepText } from './unit.ts';

export const loadUnit = (cargo: Cargo<SqlUnit>, id: number, unit: SqlUnit | CommitOrder): void => {
  if (unit.mode !== 'commit') {
    cargo.push(id, unit);
    return;
  }
  const { runId, projectId, fence, moment, money, steps, events, others } = unit;
  const { now, slots, enforced } = moment;
  cargo.push(id, runId, projectId, fence, now, slots.day, slots.week, slots.month, enforced, others);
  cargo.push(money.length);
  for (const op of money) loadOp(cargo, op);
  cargo.push(steps.length);
  for (const { key, kind, name, inputHash, input, output, isError, usage, costNanoUsd, startedAt, endedAt } of steps)
    cargo.push(key, kind, name, inputHash, input, output, isError, usage, costNanoUsd, startedAt, endedAt);
  cargo.push(events.length);
  for (const { type, body } of events) cargo.push(type, body);
};

const loadOp = (cargo: Cargo<SqlUnit>, op: MoneyOp): void => {
  cargo.push(op.op, op.id);
  switch (op.op) {
    case 'reserve':
      cargo.push(op.stepKey, op.attempt, op.model, op.priceId, op.amountNanoUsd);
      return;
    case 'proven':
      cargo.push(op.boundNanoUsd, op.usage, op.requestId);
      return;
    case 'settle':
      cargo.push(op.outcome, op.amountNanoUsd, op.usage, op.requestId);
  }
};

/** In the order in which they were loaded. */
export const unloadUnits = (cargo: Cargo<SqlUnit>, take: (id: number, unit: SqlUnit | CommitOrder) => void): void => {
  const { isLeft, next } = openHold(cargo);
  while (isLeft()) {
    const id = next<number>();
    const head = next<string | SqlUnit>();
    take(id, typeof head === 'string' ? unloadOrder(next, head) : head);
  }
};

interface Hold {
  isLeft(): boolean;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who unloads names what was loaded at this place
  next<T>(): T;
}

const openHold = (cargo: Cargo<unknown>): Hold => {
  let at = 0;
  return {
    isLeft: () => at < cargo.length,
    next: (() => cargo[at++]) as Hold['next'], // what `load` has put there
  };
};

const unloadList = <T>(next: Hold['next'], unload: (next: Hold['next']) => T): readonly T[] => {
  const list: T[] = [];
  for (let left = next<number>(); left > 0; left -= 1) list.push(unload(next));
  return list;
};

/** Properties are read in the order in which they stand here. */
const unloadOrder = (next: Hold['next'], runId: string): CommitOrder => {
  const projectId = next<string>();
  const fence = next<number>();
  const now = next<number>();
  const slots = { day: next<string>(), week: next<string>(), month: next<string>() };
  const moment = { now, slots, enforced: next<boolean>() };
  const others = next<string | null>();
  return {
    mode: 'commit',
    runId,
    projectId,
    fence,
    moment,
    money: unloadList(next, unloadOp),
    steps: unloadList(next, unloadStep),
    events: unloadList(next, unloadEvent),
    others,
  };
};

const unloadStep = (next: Hold['next']): StepText => ({
  key: next(),
  kind: next(),
  name: next(),
  inputHash: next(),
  input: next(),
  output: next(),
  isError: next(),
  usage: next(),
  costNanoUsd: next(),
  startedAt: next(),
  endedAt: next(),
});

const unloadEvent = (next: Hold['next']): CommitOrder['events'][number] => ({ type: next(), body: next() });

const unloadOp = (next: Hold['next']): MoneyOp => {
  const op = next<MoneyOp['op']>();
  const id = next<string>();
  switch (op) {
    case 'reserve':
      return { op, id, stepKey: next(), attempt: next(), model: next(), priceId: next(), amountNanoUsd: next() };
    case 'proven':
      return { op, id, boundNanoUsd: next(), usage: next(), requestId: next() };
    case 'settle':
      return { op, id, outcome: next(), amountNanoUsd: next(), usage: next(), requestId: next() };
  }
};

export const loadOutcome = (cargo: Cargo<Outcome>, id: number, outcome: Outcome): void => {
  if (outcome.kind !== 'performed') {
    cargo.push(id, outcome);
    return;
  }
  const { seq, money, alerts } = outcome.performed;
  cargo.push(id, seq, money, alerts);
};

/** In the order in which they were loaded. */
export const unloadOutcomes = (cargo: Cargo<Outcome>, settle: (id: number, outcome: Outcome) => void): void => {
  const { isLeft, next } = openHold(cargo);
  while (isLeft()) {
    const id = next<number>();
    const head = next<number | Outcome>();
    settle(
      id,
      typeof head === 'number' ? { kind: 'performed', performed: { seq: head, money: next(), alerts: next() } } : head,
    );
  }
};
