import {
  CloutError,
  type Budget,
  type BudgetLevel,
  type Claim,
  type Intent,
  type LimitedLevel,
  type MoneyOp,
  type NewRun,
  type RunEvent,
  type RunReason,
  type StepRow,
  type Unit,
  type Usage,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { levelsOfStep, moneyEvent, refusal } from '../budget/memory.ts';
import type { PrefixTokens } from '../model/bound.ts';
import type { Journal } from './journal.ts';

export interface FakeLedgerRow {
  readonly id: string;
  readonly stepKey: string;
  readonly attempt: number;
  readonly outcome: 'held' | 'known' | 'unknown' | 'released';
  readonly reserved: number;
  /** Most that it can have cost. */
  readonly bound: number;
  readonly amount: number;
  readonly usage: Usage | null;
}

interface State {
  readonly run: NewRun;
  readonly levels: readonly LimitedLevel[];
  readonly fence: number;
  readonly status: string;
  readonly reason: RunReason | null;
  readonly steps: ReadonlyMap<string, StepRow>;
  readonly intents: ReadonlyMap<string, Intent>;
  readonly events: readonly RunEvent[];
  readonly ledger: ReadonlyMap<string, FakeLedgerRow>;
}

export interface FakeJournal extends Journal, PrefixTokens {
  state(runId: string): State;
  setLimit(level: BudgetLevel, limitNanoUsd: number | null): void;
}

const nameOf = (level: BudgetLevel): string => `${level.scope} ${level.id}`;
const refuse = (message: string): never => {
  throw new Error(`the journal refuses: ${message}`);
};

const UNFINISHED: ReadonlySet<string> = new Set(['running', 'waiting', 'paused']);

/** The port in memory, with the guards that a backend must keep; a unit that is refused leaves no trace. */
export const openFakeJournal = (clock: Clock): FakeJournal => {
  let runs: ReadonlyMap<string, State> = new Map();
  let budgets: ReadonlyMap<string, Budget> = new Map();
  const prefixes = new Map<string, number>();

  const stateOf = (runId: string): State => {
    const state = runs.get(runId);
    if (state === undefined) throw new CloutError('RUN_NOT_FOUND', runId);
    return state;
  };
  const put = (state: State, moved: ReadonlyMap<string, Budget>): void => {
    runs = new Map(runs).set(state.run.id, state);
    budgets = moved;
  };

  return {
    start: async (run, levels) => {
      if (runs.has(run.id)) throw new CloutError('RUN_EXISTS', run.id);
      const made = new Map(budgets);
      for (const { scope, id, limitNanoUsd } of levels) {
        const name = nameOf({ scope, id });
        if (!made.has(name)) made.set(name, { scope, id, limitNanoUsd, spentNanoUsd: 0, heldNanoUsd: 0 });
      }
      const empty = { steps: new Map(), intents: new Map(), events: [], ledger: new Map() };
      put({ run, levels, fence: 0, status: 'running', reason: null, ...empty }, made);
    },
    claim: async (runId) => {
      const before = stateOf(runId);
      if (!UNFINISHED.has(before.status)) throw new CloutError('RUN_NOT_RESUMABLE', before.status);
      const open: MoneyOp[] = [...before.ledger.values()]
        .filter((row) => row.outcome === 'held')
        .map((row) => ({
          op: 'settle',
          id: row.id,
          outcome: 'unknown',
          amountNanoUsd: row.bound,
          usage: null,
          requestId: null,
        }));
      const moved = applyMoney({ ...before, fence: before.fence + 1 }, budgets, open);
      put(moved.state, moved.budgets);
      const { run, fence, steps, intents } = moved.state;
      const openIntents = [...intents.values()].filter((intent) => !steps.has(intent.key));
      return structuredClone({ runId, fence, run, steps: [...steps.values()], openIntents });
    },
    commit: async (claim: Claim, unit: Unit) => {
      const before = stateOf(claim.runId);
      if (before.fence !== claim.fence) throw new CloutError('FENCED', claim.runId);
      if (!UNFINISHED.has(before.status)) throw new CloutError('RUN_NOT_RESUMABLE', before.status);
      const { state, budgets: moved } = applyMoney(before, budgets, unit.money ?? []);
      const steps = new Map(state.steps);
      for (const step of structuredClone(unit.steps ?? [])) {
        if (steps.has(step.key)) throw new CloutError('DIVERGED', step.key);
        steps.set(step.key, step);
      }
      const intents = new Map(state.intents);
      for (const intent of unit.intents ?? []) {
        if (intents.has(intent.key)) refuse(`a second intent for ${intent.key}`);
        intents.set(intent.key, intent);
      }
      const settles = unit.money?.some((op) => op.op === 'settle') === true;
      const own = settles ? moved.get(nameOf({ scope: 'run', id: claim.runId })) : undefined;
      const bodies = [...(unit.events ?? []), ...(own === undefined ? [] : [moneyEvent(own)])];
      const events = bodies.map((body, index) => ({
        seq: state.events.length + index + 1,
        runId: claim.runId,
        at: clock.now(),
        body,
      }));
      put({ ...state, ...unit.state, steps, intents, events: [...state.events, ...events] }, moved);
      return { events };
    },
    events: async (runId, after, limit) =>
      stateOf(runId)
        .events.filter(({ seq }) => seq > after)
        .slice(0, limit),
    budgets: async (levels) =>
      levels.map(
        (level) => budgets.get(nameOf(level)) ?? { ...level, limitNanoUsd: null, spentNanoUsd: 0, heldNanoUsd: 0 },
      ),
    getPrefixTokens: async (model, hash) => prefixes.get(`${model} ${hash}`),
    putPrefixTokens: async (model, hash, tokens) => {
      prefixes.set(`${model} ${hash}`, tokens);
    },
    state: stateOf,
    setLimit: (level, limitNanoUsd) => {
      const budget = budgets.get(nameOf(level)) ?? refuse('no such budget');
      budgets = new Map(budgets).set(nameOf(level), { ...budget, limitNanoUsd });
    },
  };
};

const applyMoney = (
  before: State,
  from: ReadonlyMap<string, Budget>,
  ops: readonly MoneyOp[],
): { readonly state: State; readonly budgets: ReadonlyMap<string, Budget> } => {
  const budgets = new Map(from);
  const ledger = new Map(before.ledger);
  const move = (level: BudgetLevel, spentBy: number, heldBy: number): void => {
    const budget = budgets.get(nameOf(level)) ?? refuse('no such budget');
    const { spentNanoUsd, heldNanoUsd, limitNanoUsd } = budget;
    const next = { ...budget, spentNanoUsd: spentNanoUsd + spentBy, heldNanoUsd: heldNanoUsd + heldBy };
    if (heldBy > 0 && limitNanoUsd !== null && next.spentNanoUsd + next.heldNanoUsd > limitNanoUsd)
      throw refusal({ ...budget, limitNanoUsd }, heldBy);
    budgets.set(nameOf(level), next);
  };
  for (const op of ops) {
    if (op.op === 'reserve') {
      if (ledger.has(op.id)) refuse('a reservation twice');
      if ([...ledger.values()].some((row) => row.stepKey === op.stepKey && row.attempt === op.attempt))
        refuse('an attempt twice');
      for (const level of levelsOfStep(before.levels, op.stepKey)) move(level, 0, op.amountNanoUsd);
      const { id, stepKey, attempt, amountNanoUsd } = op;
      ledger.set(id, {
        id,
        stepKey,
        attempt,
        outcome: 'held',
        reserved: amountNanoUsd,
        bound: amountNanoUsd,
        amount: amountNanoUsd,
        usage: null,
      });
    } else if (op.op === 'proven') {
      const row = ledger.get(op.id) ?? refuse('a proof without a reservation');
      ledger.set(op.id, { ...row, bound: Math.min(row.bound, op.boundNanoUsd) });
    } else {
      const row = ledger.get(op.id) ?? refuse('a settlement without a reservation');
      if (row.outcome !== 'held') refuse('a settlement twice');
      if (op.outcome === 'unknown' && op.amountNanoUsd > row.reserved) refuse('an unknown outcome above its bound');
      for (const level of levelsOfStep(before.levels, row.stepKey)) move(level, op.amountNanoUsd, -row.reserved);
      ledger.set(op.id, { ...row, outcome: op.outcome, amount: op.amountNanoUsd, usage: op.usage });
    }
  }
  return { state: { ...before, ledger }, budgets };
};
