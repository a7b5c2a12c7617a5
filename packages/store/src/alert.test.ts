import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore } from './store.ts';
import { begin, handClock, limitOrder, PROJECT, reserve, settle, tempFolder } from './testing/support.ts';
import { openWriter } from './writer.ts';

const open = async () => {
  const folder = await tempFolder();
  const clock = handClock(Date.parse('2026-11-25T12:00:00Z'));
  let told = 0;
  const writer = await openWriter({ file: `${folder.dir}/store.db` });
  const store = createStore(writer, clock, { onAlerts: () => (told += 1) });
  return {
    store,
    clock,
    told: () => told,
    [Symbol.asyncDispose]: async () => {
      expect(await store.checkInvariants()).toEqual([]);
      await store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};
type Opened = Awaited<ReturnType<typeof open>>;
const alertsOf = async ({ store }: Opened) =>
  (await store.alerts(0)).map(
    ({ kind, scope, slot, percent }) => `${kind} ${scope}${slot === '' ? '' : ` ${slot}`} ${percent}`,
  );

describe('[E12.alerts X1.alerts] [D6] alerts of a budget', () => {
  it('are given at 50, 75, 90 and 100 percent of the limit, each once, in the unit that spent it', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { projectLimit: 1000 });
    const spend = async (id: string, amount: number): Promise<string[]> => {
      await store.commit(claim, { money: [reserve('run_1', id, amount)] });
      await store.commit(claim, { money: [settle(id, amount)] });
      return alertsOf(opened);
    };
    expect(await spend('a', 499)).toEqual([]);
    const told = opened.told();
    expect(await spend('b', 1)).toEqual(['threshold project 50']);
    expect(opened.told()).toBe(told + 1);
    expect(await spend('c', 249)).toEqual(['threshold project 50']);
    // Two at once, in order; what is only held alerts nobody.
    expect(await spend('d', 160)).toEqual(['threshold project 50', 'threshold project 75', 'threshold project 90']);
    expect(await spend('e', 91)).toEqual([50, 75, 90, 100].map((percent) => `threshold project ${percent}`));
    expect((await store.alerts(0))[0]).toMatchObject({
      place: 1,
      budgetId: 'prj',
      period: 'lifetime',
      limit: { nanoUsd: 1000 },
      spent: { nanoUsd: 500 },
      runId: 'run_1',
      at: '2026-11-25T12:00:00.000Z',
    });
  });

  it('come again in each new day, and for a new limit', async () => {
    await using opened = await open();
    const { store, clock } = opened;
    const claim = await begin(store, 'run_1');
    const day = { level: PROJECT, period: 'day', by: 'test', thresholds: [80] } as const;
    await store.setLimit({ ...day, limitNanoUsd: 100 });
    for (const id of ['a', 'b']) {
      await store.commit(claim, { money: [reserve('run_1', id, 85)] });
      await store.commit(claim, { money: [settle(id, 85)] });
      clock.advance(86_400_000);
    }
    expect(await alertsOf(opened)).toEqual(['threshold project 2026-11-25 80', 'threshold project 2026-11-26 80']);
    clock.advance(-86_400_000);
    // Lowering it crosses a threshold too.
    await store.setLimit({ ...day, limitNanoUsd: 90 });
    await store.setLimit({ ...day, limitNanoUsd: 100 });
    expect(await alertsOf(opened)).toHaveLength(3);
  });

  it('can be left out, and are not given for a task, whose limit is a part of its run', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { projectLimit: 1000 });
    await store.setLimit({ ...limitOrder(PROJECT, 100), thresholds: [] });
    await store.commit(claim, { money: [reserve('run_1', 'a', 100)] });
    await store.commit(claim, { money: [settle('a', 100)] });
    expect(await alertsOf(opened)).toEqual([]);
    await store.setLimit(limitOrder({ scope: 'run', id: 'run_1' }, 100));
    expect(await alertsOf(opened)).toHaveLength(4);
  });

  it('[X1.bound-violated] tell of a call that cost more than its bound, whose cost is recorded as it is', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'a', 40), reserve('run_1', 'b', 40)] });
    await store.commit(claim, { money: [settle('a', 40), settle('b', 42)] });
    expect(await alertsOf(opened)).toContain('bound-violated run 105');
    expect(await store.budgets([{ scope: 'run', id: 'run_1' }])).toMatchObject([{ spentNanoUsd: 82, heldNanoUsd: 0 }]);
  });

  it('are given exactly once whatever the order and concurrency of settling', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 5, maxLength: 40 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 130 }), { minLength: 1, maxLength: 6 }),
        async (amounts, thresholds) => {
          await using opened = await open();
          const { store } = opened;
          const claim = await begin(store, 'run_1');
          await store.setLimit({ ...limitOrder(PROJECT, 100_000), thresholds });
          await store.commit(claim, { money: amounts.map((amount, n) => reserve('run_1', `r${n}`, amount)) });
          await store.setLimit({ ...limitOrder(PROJECT, 1000), thresholds });
          await Promise.all(amounts.map((amount, n) => store.commit(claim, { money: [settle(`r${n}`, amount)] })));
          const spent = amounts.reduce((sum, amount) => sum + amount, 0);
          const given = (await store.alerts(0)).filter(({ limit }) => limit.nanoUsd === 1000);
          const reached = thresholds.filter((percent) => spent > 0 && spent * 100 >= 1000 * percent);
          expect(given.map(({ percent }) => percent).toSorted((a, b) => a - b)).toEqual(
            reached.toSorted((a, b) => a - b),
          );
        },
      ),
      { numRuns: 15, plugins: [fc.interruptAfterTimeLimit(30_000)] },
    );
  }, 60_000);
});

describe('[X1.alerts] what a channel has to deliver', () => {
  it('is every alert until it is done, and again when it is put off', async () => {
    await using opened = await open();
    const { store, clock } = opened;
    const claim = await begin(store, 'run_1', { projectLimit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'a', 80)] });
    await store.commit(claim, { money: [settle('a', 80)] });
    const waiting = async (channel: string) =>
      (await store.undelivered(channel)).map(({ alert, attempts }) => [alert.percent, attempts]);
    expect(await waiting('webhook')).toEqual([
      [50, 0],
      [75, 0],
    ]);
    const at = { channel: 'webhook', attempts: 1 };
    await store.recordDelivery({ ...at, place: 1, error: null, nextAt: null });
    await store.recordDelivery({ ...at, place: 2, error: 'down', nextAt: clock.now() + 1000 });
    expect(await waiting('webhook')).toEqual([]);
    expect(await waiting('log')).toHaveLength(2);
    clock.advance(1000);
    expect(await waiting('webhook')).toEqual([[75, 1]]);
  });
});
