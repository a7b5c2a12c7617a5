import {
  CloutError,
  type Budget,
  type BudgetLevel,
  type BudgetShortage,
  type Claim,
  type Intent,
  type MoneyOp,
  type NewRun,
  type RunEvent,
  type StepRow,
  type Unit,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
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
  readonly levels: readonly BudgetLevel[];
  readonly steps: Map<string, StepRow>;
  readonly intents: Map<string, Intent>;
  /** Open reservations and their amounts. */
  readonly held: Map<string, number>;
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

const nameOf = ({ scope, id }: BudgetLevel): string => `${scope} ${id}`;

export const openMemoryJournal = (clock: Clock): MemoryJournal => {
  const runs = new Map<string, RunState>();
  const budgets = new Map<string, Budget>();
  const prefixes = new Map<string, number>();

  const stateOf = (runId: string): RunState => {
    const state = runs.get(runId);
    if (state === undefined) throw new CloutError('RUN_NOT_FOUND', `There is no run ${runId}`);
    return state;
  };

  const move = (level: BudgetLevel, spentBy: number, heldBy: number): void => {
    const budget = budgets.get(nameOf(level));
    if (budget === undefined) return;
    const { spentNanoUsd, heldNanoUsd } = budget;
    budgets.set(nameOf(level), {
      ...budget,
      spentNanoUsd: spentNanoUsd + spentBy,
      heldNanoUsd: heldNanoUsd + heldBy,
    });
  };

  const requireRoom = (levels: readonly BudgetLevel[], neededNanoUsd: number): void => {
    for (const level of levels) {
      const budget = budgets.get(nameOf(level));
      if (budget === undefined || budget.limitNanoUsd === null) continue;
      const { scope, id, limitNanoUsd, spentNanoUsd, heldNanoUsd } = budget;
      if (spentNanoUsd + heldNanoUsd + neededNanoUsd <= limitNanoUsd) continue;
      const details: BudgetShortage = { scope, id, limitNanoUsd, spentNanoUsd, heldNanoUsd, neededNanoUsd };
      throw new CloutError('BUDGET_EXHAUSTED', `The budget of the ${scope} ${id} is used up`, {
        details: { ...details },
      });
    }
  };

  const settle = (state: RunState, id: string, amountNanoUsd: number): void => {
    const reserved = state.held.get(id);
    if (reserved === undefined) return;
    state.held.delete(id);
    for (const level of state.levels) move(level, amountNanoUsd, -reserved);
  };

  /** What nobody settled is booked at its bound. */
  const settleOpen = (state: RunState): void => {
    for (const [id, reserved] of state.held) settle(state, id, reserved);
  };

  const applyMoney = (state: RunState, op: MoneyOp): void => {
    if (op.op === 'settle') {
      settle(state, op.id, op.amountNanoUsd);
      return;
    }
    for (const level of state.levels) move(level, 0, op.amountNanoUsd);
    state.held.set(op.id, op.amountNanoUsd);
  };

  /** Everything that can refuse a unit, before anything of it is done. */
  const guard = (state: RunState, claim: Claim, unit: Unit): void => {
    if (state.fence !== claim.fence) throw new CloutError('FENCED', `Run ${claim.runId} was taken over`);
    for (const { key } of unit.steps ?? []) {
      if (state.steps.has(key)) throw new CloutError('DIVERGED', `The step ${key} has a row already`);
    }
    const needed = (unit.money ?? []).reduce((sum, op) => sum + (op.op === 'reserve' ? op.amountNanoUsd : 0), 0);
    if (needed > 0) requireRoom(state.levels, needed);
  };

  const end = (runId: string): void => {
    const state = runs.get(runId);
    if (state === undefined) return;
    settleOpen(state);
    runs.delete(runId);
    for (const level of state.levels) if (level.scope === 'run') budgets.delete(nameOf(level));
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
        levels: levels.map(({ scope, id }) => ({ scope, id })),
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
      const events = (unit.events ?? []).map((body): RunEvent => ({
        seq: (state.seq += 1),
        runId: claim.runId,
        at,
        body,
      }));
      state.events.push(...events);
      if (state.events.length > MAX_EVENTS) state.events.splice(0, state.events.length - MAX_EVENTS);
      const status = unit.state?.status ?? 'running';
      if (status === 'paused' || status === 'waiting') settleOpen(state);
      else if (status !== 'running') end(claim.runId);
      return { events };
    },
    events: async (runId, after, limit) =>
      (runs.get(runId)?.events ?? []).filter(({ seq }) => seq > after).slice(0, limit),
    budgets: async (levels) =>
      levels.map(
        (level) => budgets.get(nameOf(level)) ?? { ...level, limitNanoUsd: null, spentNanoUsd: 0, heldNanoUsd: 0 },
      ),
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
