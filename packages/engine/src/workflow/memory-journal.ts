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
  type RunEventBody,
  type StepRow,
  type Unit,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { levelsOfStep, moneyEvent, refusal } from '../budget/memory.ts';
import type { PrefixTokens } from '../model/bound.ts';
import type { Journal } from './journal.ts';

/** The port for runs that need not outlive the process: the same guards, and nothing kept of a run that has ended. */
export interface MemoryJournal extends Journal, PrefixTokens {
  /** Runs that have not ended. */
  readonly size: number;
  /** Sets the limit of a level in nano-dollars; null = recorded, not limited. */
  setLimit(level: BudgetLevel, limitNanoUsd: number | null): void;
  /** Drops a run that will not be driven again, as if it had ended. */
  forget(runId: string): void;
}

interface RunState {
  readonly run: NewRun;
  readonly levels: readonly LimitedLevel[];
  readonly steps: Map<string, StepRow>;
  readonly intents: Map<string, Intent>;
  /** Open reservations: what they hold, the most that they cost, and where. */
  readonly held: Map<
    string,
    { readonly amount: number; readonly bound: number; readonly levels: readonly BudgetLevel[] }
  >;
  readonly events: RunEvent[];
  fence: number;
  seq: number;
}

/** A waiting run costs some 10 KB, so this is 100 MB; more at once is a loop that starts runs. */
const MAX_RUNS = 10_000;
/** Events of a live run for readers that join late: some 0.5 MB. Older ones are gone. */
const MAX_EVENTS = 1000;
/** Prefixes whose tokens are remembered, some 100 bytes each. */
const MAX_PREFIXES = 1000;

/** Changed in place, so what leaves this file is a copy. */
type Writable = { -readonly [K in keyof Budget]: Budget[K] };

const nameOf = ({ scope, id }: BudgetLevel): string => `${scope} ${id}`;

export const openMemoryJournal = (clock: Clock): MemoryJournal => {
  const runs = new Map<string, RunState>();
  const budgets = new Map<string, Writable>();
  const prefixes = new Map<string, number>();

  const stateOf = (runId: string): RunState => {
    const state = runs.get(runId);
    if (state === undefined) throw new CloutError('RUN_NOT_FOUND', `There is no run ${runId}`);
    return state;
  };

  const move = (level: BudgetLevel, spentBy: number, heldBy: number): void => {
    const budget = budgets.get(nameOf(level));
    if (budget === undefined) return;
    budget.spentNanoUsd += spentBy;
    budget.heldNanoUsd += heldBy;
  };

  const requireRoom = (level: BudgetLevel, neededNanoUsd: number): void => {
    const budget = budgets.get(nameOf(level));
    if (budget === undefined || budget.limitNanoUsd === null) return;
    const { limitNanoUsd, spentNanoUsd, heldNanoUsd } = budget;
    if (spentNanoUsd + heldNanoUsd + neededNanoUsd > limitNanoUsd)
      throw refusal({ ...budget, limitNanoUsd }, neededNanoUsd);
  };

  const settle = (state: RunState, id: string, amountNanoUsd: number): void => {
    const held = state.held.get(id);
    if (held === undefined) return;
    state.held.delete(id);
    for (const level of held.levels) move(level, amountNanoUsd, -held.amount);
  };

  /** What nobody settled is booked at its bound. */
  const settleOpen = (state: RunState): void => {
    for (const [id, { bound }] of state.held) settle(state, id, bound);
  };

  const applyMoney = (state: RunState, op: MoneyOp): void => {
    if (op.op === 'settle') {
      settle(state, op.id, op.amountNanoUsd);
    } else if (op.op === 'proven') {
      const held = state.held.get(op.id);
      if (held !== undefined) state.held.set(op.id, { ...held, bound: Math.min(held.bound, op.boundNanoUsd) });
    } else {
      const levels = levelsOfStep(state.levels, op.stepKey);
      for (const level of levels) move(level, 0, op.amountNanoUsd);
      state.held.set(op.id, { amount: op.amountNanoUsd, bound: op.amountNanoUsd, levels });
    }
  };

  /** Everything that can refuse a unit, before anything of it is done. */
  const guard = (state: RunState, claim: Claim, unit: Unit): void => {
    if (state.fence !== claim.fence) throw new CloutError('FENCED', `Run ${claim.runId} was taken over`);
    for (const { key } of unit.steps ?? []) {
      if (state.steps.has(key)) throw new CloutError('DIVERGED', `The step ${key} has a row already`);
    }
    const needed = new Map<BudgetLevel, number>();
    for (const op of unit.money ?? []) {
      if (op.op !== 'reserve') continue;
      for (const level of levelsOfStep(state.levels, op.stepKey))
        needed.set(level, (needed.get(level) ?? 0) + op.amountNanoUsd);
    }
    for (const [level, amount] of needed) requireRoom(level, amount);
  };

  const end = (runId: string): void => {
    const state = runs.get(runId);
    if (state === undefined) return;
    settleOpen(state);
    runs.delete(runId);
    for (const level of state.levels)
      if (level.scope === 'run' || level.scope === 'task') budgets.delete(nameOf(level));
  };

  return {
    get size() {
      return runs.size;
    },
    start: async (run, levels) => {
      if (runs.has(run.id)) throw new CloutError('RUN_EXISTS', `Run ${run.id} exists`);
      if (runs.size >= MAX_RUNS) throw new CloutError('STORAGE_BUSY', `${MAX_RUNS} runs have not ended yet`);
      for (const { scope, id, limitNanoUsd } of levels) {
        const name = nameOf({ scope, id });
        if (!budgets.has(name)) budgets.set(name, { scope, id, limitNanoUsd, spentNanoUsd: 0, heldNanoUsd: 0 });
      }
      runs.set(run.id, {
        run,
        levels,
        steps: new Map((run.seeded ?? []).map((step) => [step.key, step])),
        intents: new Map(),
        held: new Map(),
        events: [],
        fence: 0,
        seq: 0,
      });
    },
    claim: async (runId) => {
      const state = stateOf(runId);
      settleOpen(state);
      state.fence += 1;
      const openIntents = [...state.intents.values()].filter(({ key }) => !state.steps.has(key));
      return { runId, fence: state.fence, run: state.run, steps: [...state.steps.values()], openIntents };
    },
    commit: async (claim, unit) => {
      const state = stateOf(claim.runId);
      guard(state, claim, unit);
      for (const op of unit.money ?? []) applyMoney(state, op);
      for (const step of unit.steps ?? []) state.steps.set(step.key, step);
      for (const intent of unit.intents ?? []) state.intents.set(intent.key, intent);
      const at = clock.now();
      const events: RunEvent[] = [];
      const tell = (body: RunEventBody): void => {
        const event = { seq: (state.seq += 1), runId: claim.runId, at, body };
        events.push(event);
        state.events.push(event);
      };
      for (const body of unit.events ?? []) tell(body);
      const settled = unit.money?.some((op) => op.op === 'settle') === true;
      const own = settled ? budgets.get(nameOf({ scope: 'run', id: claim.runId })) : undefined;
      if (own !== undefined) tell(moneyEvent(own));
      if (state.events.length > MAX_EVENTS) state.events.splice(0, state.events.length - MAX_EVENTS);
      const status = unit.state?.status ?? 'running';
      if (status === 'paused' || status === 'waiting') settleOpen(state);
      else if (status !== 'running') end(claim.runId);
      return { events };
    },
    events: async (runId, after, limit) =>
      (runs.get(runId)?.events ?? []).filter(({ seq }) => seq > after).slice(0, limit),
    budgets: async (levels) =>
      levels.map((level) => ({
        ...level,
        limitNanoUsd: null,
        spentNanoUsd: 0,
        heldNanoUsd: 0,
        ...budgets.get(nameOf(level)),
      })),
    setLimit: (level, limitNanoUsd) => {
      const { spentNanoUsd = 0, heldNanoUsd = 0 } = budgets.get(nameOf(level)) ?? {};
      budgets.set(nameOf(level), { ...level, limitNanoUsd, spentNanoUsd, heldNanoUsd });
    },
    forget: end,
    getPrefixTokens: async (model, hash) => prefixes.get(`${model} ${hash}`),
    putPrefixTokens: async (model, hash, tokens) => {
      prefixes.set(`${model} ${hash}`, tokens);
      const [oldest] = prefixes.keys();
      if (prefixes.size > MAX_PREFIXES && oldest !== undefined) prefixes.delete(oldest);
    },
  };
};
