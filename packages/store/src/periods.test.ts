import type { Claim, LimitedLevel, MoneyOp } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { createStore, type MoneyOptions, type Store } from './store.ts';
import { handClock, limitOrder, newRun, reserve, settle, stepRow, tempFolder } from './testing/support.ts';
import { openWriter } from './writer.ts';

const PROJECT = { scope: 'project', id: 'prj' } as const;
const LEVELS: readonly LimitedLevel[] = [
  { scope: 'change', id: 'prj/add', limitNanoUsd: null },
  { scope: 'user', id: 'ann', limitNanoUsd: null },
  { ...PROJECT, limitNanoUsd: null },
  { scope: 'global', id: 'all', limitNanoUsd: null },
];

const open = async (money: MoneyOptions = {}, start = '2026-11-25T12:00:00Z') => {
  const folder = await tempFolder();
  const clock = handClock(Date.parse(start));
  const store = createStore(await openWriter({ file: `${folder.dir}/store.db` }), clock, money);
  return {
    store,
    clock,
    [Symbol.asyncDispose]: async () => {
      expect(await store.checkInvariants()).toEqual([]);
      await store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};

const begin = async (store: Store, id: string, own: readonly LimitedLevel[] = []): Promise<Claim> => {
  const run = { ...newRun(id), startedBy: 'ann' };
  await store.start(run, [{ scope: 'run', id, limitNanoUsd: null }, ...own, ...LEVELS]);
  return store.claim(id);
};
const take = (id: string, amount: number, stepKey = 'build/turn[0]'): MoneyOp => reserve('', id, amount, stepKey);
const viewOf = async (store: Store, scope: string, slot: string) => {
  const view = (await store.budgetViews('run_1')).find((row) => row.scope === scope && row.slot === slot);
  return view === undefined ? undefined : [view.limit?.nanoUsd, view.spent.nanoUsd, view.held.nanoUsd];
};
const refused = { code: 'BUDGET_EXHAUSTED' };

describe('[E12.limits X1.levels] limits of a day, a week and a month', () => {
  it.each([
    ['day', '2026-11-25', 86_400_000, '2026-11-26'],
    ['week', '2026-W48', 5 * 86_400_000, '2026-W49'],
    ['month', '2026-11', 6 * 86_400_000, '2026-12'],
  ] as const)('of a %s hold until it ends, and begin anew', async (period, slot, later, next) => {
    await using opened = await open();
    const { store, clock } = opened;
    const claim = await begin(store, 'run_1');
    await store.setLimit({ level: PROJECT, period, limitNanoUsd: 100, by: 'ann' });
    await store.commit(claim, { money: [take('r1', 60)] });
    await store.commit(claim, { money: [settle('r1', 50)] });
    await expect(store.commit(claim, { money: [take('r2', 51)] })).rejects.toMatchObject({
      ...refused,
      details: { scope: 'project', id: 'prj', period, slot, limitNanoUsd: 100, spentNanoUsd: 50, heldNanoUsd: 0 },
    });
    await store.commit(claim, { money: [take('r2', 50)] });
    clock.advance(later);
    // What was reserved before midnight belongs to the day before, whenever it is settled.
    await store.commit(claim, { money: [settle('r2', 30), take('r3', 100)] });
    expect(await viewOf(store, 'project', next)).toEqual([100, 0, 100]);
    clock.advance(-later);
    expect(await viewOf(store, 'project', slot)).toEqual([100, 80, 0]);
    expect(await viewOf(store, 'project', '')).toEqual([undefined, 80, 100]);
  });

  it('count what was spent and is held in the running one before they were set', async () => {
    await using opened = await open({}, '2026-11-24T12:00:00Z');
    const { store, clock } = opened;
    const claim = await begin(store, 'run_1');
    await store.commit(claim, { money: [take('old', 1000)] });
    await store.commit(claim, { money: [settle('old', 900)] });
    clock.advance(86_400_000);
    await store.commit(claim, { money: [take('r1', 60), take('r2', 5)] });
    await store.commit(claim, { money: [settle('r1', 50)] });
    await store.setLimit({ level: { scope: 'user', id: 'ann' }, period: 'day', limitNanoUsd: 60, by: 'ann' });
    expect(await viewOf(store, 'user', '2026-11-25')).toEqual([60, 50, 5]);
    await expect(store.commit(claim, { money: [take('r3', 6)] })).rejects.toMatchObject(refused);
    await store.setLimit({ level: { scope: 'user', id: 'ann' }, period: 'day', limitNanoUsd: null, by: 'ann' });
    await store.commit(claim, { money: [take('r3', 6)] });
  });

  it('follow the calendar of the time zone, also where a day has 25 hours', async () => {
    await using opened = await open({ timeZone: 'Europe/Berlin' }, '2026-10-24T22:30:00Z');
    const { store, clock } = opened;
    const claim = await begin(store, 'run_1');
    await store.setLimit({ level: PROJECT, period: 'day', limitNanoUsd: 100, by: 'ann' });
    await store.commit(claim, { money: [take('r1', 100)] });
    clock.advance(24 * 3_600_000);
    await expect(store.commit(claim, { money: [take('r2', 1)] })).rejects.toMatchObject({
      details: { slot: '2026-10-25' },
    });
    clock.advance(3_600_000 / 2);
    await store.commit(claim, { money: [take('r2', 1)] });
    expect(await viewOf(store, 'project', '2026-10-26')).toEqual([100, 0, 1]);
  });

  it('are refused at each of the six levels, which all count at once', async () => {
    await using opened = await open();
    const { store } = opened;
    const task = { scope: 'task', id: 'run_1/build', limitNanoUsd: 10, place: 'build' } as const;
    const claim = await begin(store, 'run_1', [task]);
    const levels = ['task', 'run', 'change', 'user', 'project', 'global'] as const;
    await store.commit(claim, { money: [take('r1', 4), take('other', 2, 'test/turn[0]')] });
    await store.commit(claim, { money: [settle('r1', 3)] });
    const views = await store.budgetViews('run_1');
    expect(views.map(({ scope, spent, held }) => [scope, spent.nanoUsd, held.nanoUsd])).toEqual([
      ['global', 3, 2],
      ['project', 3, 2],
      ['user', 3, 2],
      ['change', 3, 2],
      ['run', 3, 2],
      // A node pays for its own steps only, and cannot be left out.
      ['task', 3, 0],
    ]);
    for (const scope of levels) {
      const level = { scope, id: views.find((view) => view.scope === scope)?.id ?? '' };
      const before = views.find((view) => view.scope === scope)?.limit?.nanoUsd ?? null;
      await store.setLimit(limitOrder(level, 5));
      await expect(store.commit(claim, { money: [take('r2', 6)] }), scope).rejects.toMatchObject({
        ...refused,
        details: { scope },
      });
      await store.setLimit(limitOrder(level, before));
    }
    await store.commit(claim, { money: [take('r2', 6)] });
  });

  it('say who changed them', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.setLimit({ level: PROJECT, period: 'day', limitNanoUsd: 5, by: 'ann' });
    await store.setLimit({ level: PROJECT, period: 'day', limitNanoUsd: 9, by: 'bob' });
    await store.setLimit({ level: PROJECT, period: 'lifetime', limitNanoUsd: null, by: 'cy' });
    expect(
      (await store.limitChanges()).map(({ period, before, after, by }) => [
        period,
        before?.nanoUsd,
        after?.nanoUsd,
        by,
      ]),
    ).toEqual([
      ['lifetime', undefined, undefined, 'cy'],
      ['day', 5, 9, 'bob'],
      ['day', undefined, 5, 'ann'],
    ]);
  });

  it('[E13.cost-limits] are recorded and alerted, and refuse nothing, where limits are off', async () => {
    await using opened = await open({ enforced: false });
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    await store.setLimit(limitOrder(PROJECT, 10));
    await store.commit(claim, { money: [take('r1', 50)] });
    await store.commit(claim, { money: [settle('r1', 40)] });
    expect(await viewOf(store, 'project', '')).toEqual([10, 40, 0]);
    expect((await store.alerts(0)).map(({ percent }) => percent)).toEqual([50, 75, 90, 100]);
  });
});

describe('[X1.unknown] what the start of an answer proves', () => {
  const usage = { inputTokens: 7, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0, outputTokens: 1 };
  const proven = (id: string, boundNanoUsd: number): MoneyOp => ({
    op: 'proven',
    id,
    boundNanoUsd,
    usage,
    requestId: 'req',
  });

  it('is what a crash books, instead of the whole bound; the first word counts', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    await store.commit(claim, { money: [take('r1', 100), take('r2', 100), take('r3', 100)] });
    await store.commit(claim, { money: [proven('r1', 40), proven('r3', 500)] });
    await store.commit(claim, { money: [proven('r1', 10)] });
    await store.claim('run_1');
    const { ledger } = await store.run('run_1');
    expect(ledger.map(({ outcome, amount }) => [outcome, amount.nanoUsd])).toEqual([
      ['unknown', 40],
      ['unknown', 100],
      ['unknown', 100],
    ]);
    expect(await viewOf(store, 'project', '')).toEqual([undefined, 240, 0]);
  });

  it('is of no use once it is settled', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    await store.commit(claim, { money: [take('r1', 100)] });
    await store.commit(claim, { money: [settle('r1', 30)], steps: [stepRow('build/turn[0]')] });
    await store.commit(claim, { money: [proven('r1', 10)] });
    expect((await store.ledger('run_1'))[0]).toMatchObject({ outcome: 'known', amount: { nanoUsd: 30 } });
  });
});
