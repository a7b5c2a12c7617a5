import { codeOf, type Claim } from '@cloutagent/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BACKENDS,
  levelsOf,
  limitOrder,
  newRun,
  type OpenBackend,
  PROJECT,
  reserve,
  settle,
} from './testing/support.ts';

const RUNS = ['run_0', 'run_1', 'run_2'] as const;

type Action =
  | { readonly do: 'reserve'; readonly run: number; readonly amounts: readonly number[] }
  | {
      readonly do: 'settle';
      readonly pick: number;
      readonly share: number;
      readonly outcome: 'known' | 'unknown' | 'released';
    }
  | { readonly do: 'swap'; readonly pick: number; readonly amount: number }
  | { readonly do: 'claim'; readonly run: number }
  | { readonly do: 'limit'; readonly run: number; readonly limit: number };

const run = fc.nat({ max: RUNS.length - 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      run,
      amounts: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      pick: fc.nat(),
      share: fc.nat({ max: 100 }),
      outcome: fc.constantFrom('known', 'unknown', 'released'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('swap' as const), pick: fc.nat(), amount: fc.nat({ max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('claim' as const), run }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      run: fc.nat({ max: RUNS.length }),
      limit: fc.nat({ max: 300 }),
    }),
  },
);

/** What the budgets must be: the simplest model there is. */
interface Model {
  readonly limits: Map<string, number>;
  readonly spent: Map<string, number>;
  readonly open: Map<string, { readonly run: string; readonly amount: number }>;
}

const idsOf = (runId: string): readonly string[] => levelsOf(runId).map((level) => level.id);
const heldBy = (model: Model, id: string): number =>
  [...model.open.values()].reduce((sum, row) => sum + (idsOf(row.run).includes(id) ? row.amount : 0), 0);
const fits = (model: Model, runId: string, amount: number): boolean =>
  idsOf(runId).every((id) => (model.spent.get(id) ?? 0) + heldBy(model, id) + amount <= (model.limits.get(id) ?? 0));
const book = (model: Model, reservation: string, amount: number): void => {
  const row = model.open.get(reservation);
  if (row === undefined) return;
  model.open.delete(reservation);
  for (const id of idsOf(row.run)) model.spent.set(id, (model.spent.get(id) ?? 0) + amount);
};

/** Runs a history against the store and the model, and compares them after every action. */
const replay = async (opened: OpenBackend, actions: readonly Action[]): Promise<void> => {
  const { store } = opened;
  const claims = new Map<string, Claim>();
  const model: Model = { limits: new Map([[PROJECT.id, 400]]), spent: new Map(), open: new Map() };
  for (const id of RUNS) {
    await store.start(newRun(id, { limit: 200 }), [
      { scope: 'run', id, limitNanoUsd: 200 },
      { ...PROJECT, limitNanoUsd: 400 },
    ]);
    claims.set(id, await store.claim(id));
    model.limits.set(id, 200);
  }
  const claimOf = (id: string): Claim => claims.get(id)!;
  let reservations = 0;
  const newId = (): string => `r${(reservations += 1)}`;
  for (const step of actions) {
    if (step.do === 'reserve') {
      const id = RUNS[step.run]!;
      const total = step.amounts.reduce((sum, amount) => sum + amount, 0);
      const rows = step.amounts.map((amount) => ({ id: newId(), amount }));
      const money = rows.map((row) => reserve(id, row.id, row.amount));
      const result = await store.commit(claimOf(id), { money }).then(() => 'done', codeOf);
      expect(result).toBe(fits(model, id, total) ? 'done' : 'BUDGET_EXHAUSTED');
      if (result === 'done') for (const row of rows) model.open.set(row.id, { run: id, amount: row.amount });
    } else if (step.do === 'settle' || step.do === 'swap') {
      const open = [...model.open.keys()];
      const picked = open[step.pick % Math.max(1, open.length)];
      const row = picked === undefined ? undefined : model.open.get(picked);
      if (picked === undefined || row === undefined) continue;
      if (step.do === 'settle') {
        const amount = step.outcome === 'released' ? 0 : Math.floor((row.amount * step.share) / 100);
        await store.commit(claimOf(row.run), { money: [settle(picked, amount, step.outcome)] });
        book(model, picked, amount);
      } else {
        // Settle and reserve in one unit: what is settled makes room, or nothing happens at all.
        const id = newId();
        const money = [settle(picked, 0, 'released'), reserve(row.run, id, step.amount)];
        const result = await store.commit(claimOf(row.run), { money }).then(() => 'done', codeOf);
        expect(result).toBe(fits(model, row.run, step.amount - row.amount) ? 'done' : 'BUDGET_EXHAUSTED');
        if (result === 'done') {
          book(model, picked, 0);
          model.open.set(id, { run: row.run, amount: step.amount });
        }
      }
    } else if (step.do === 'claim') {
      const id = RUNS[step.run]!;
      const stale = claimOf(id);
      claims.set(id, await store.claim(id));
      await expect(store.commit(stale, { money: [reserve(id, 'stale', 1)] })).rejects.toMatchObject({ code: 'FENCED' });
      for (const [reservation, row] of model.open) if (row.run === id) book(model, reservation, row.amount);
    } else {
      const id = RUNS[step.run] ?? PROJECT.id;
      const used = (model.spent.get(id) ?? 0) + heldBy(model, id);
      const limit = Math.max(step.limit, used);
      await store.setLimit(limitOrder(id === PROJECT.id ? PROJECT : { scope: 'run', id }, limit));
      model.limits.set(id, limit);
    }
    const budgets = await store.budgets([PROJECT, ...RUNS.map((id) => ({ scope: 'run', id }) as const)]);
    for (const budget of budgets) {
      expect(budget.spentNanoUsd + budget.heldNanoUsd).toBeLessThanOrEqual(budget.limitNanoUsd ?? -1);
      expect([budget.id, budget.spentNanoUsd, budget.heldNanoUsd]).toEqual([
        budget.id,
        model.spent.get(budget.id) ?? 0,
        heldBy(model, budget.id),
      ]);
    }
  }
  expect(await store.checkInvariants()).toEqual([]);
};

describe.each(BACKENDS)('[X1.never-over] [X1.levels] any history of money on $name', ({ open }) => {
  it('equals the model after every action', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        await using opened = await open();
        await replay(opened, actions);
      }),
      // Bounds how long a failure is made smaller, so that it is shown before the test times out.
      { numRuns: 12, plugins: [fc.interruptAfterTimeLimit(40_000)] },
    );
  }, 60_000);
});
