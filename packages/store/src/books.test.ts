import { codeOf, type Committed, type Unit } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import {
  BACKENDS,
  begin,
  end,
  levelsOf,
  limitOrder,
  PROJECT,
  reserve,
  settle,
  stepRow,
  type OpenBackend,
} from './testing/support.ts';

const STARTED = { type: 'task.started', taskId: '1.1', title: '' } as const;

/** Money of the run and of the project: `[spent, held]` each. */
const moneyOf = async ({ store }: OpenBackend): Promise<unknown> =>
  (await store.budgets(levelsOf('run_1'))).map(({ spentNanoUsd, heldNanoUsd }) => [spentNanoUsd, heldNanoUsd]);

describe.each(BACKENDS)('[X1.never-over X2.atomic] what the writing thread remembers on $name', ({ open }) => {
  it('is what another connection has written since', async () => {
    await using opened = await open();
    const one = opened.store;
    const other = await opened.reopen();
    const first = await begin(one, 'run_1', { projectLimit: 100 });
    const second = await begin(other, 'run_2');
    await one.commit(first, { money: [reserve('run_1', 'a', 60)] });
    await other.commit(second, { money: [reserve('run_2', 'b', 30)], events: [STARTED] });
    await expect(one.commit(first, { money: [reserve('run_1', 'c', 20)] })).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
      details: { scope: 'project', heldNanoUsd: 90 },
    });
    await one.commit(first, { money: [settle('a', 10)] });
    // Of the run that the other one wrote last.
    const { events } = await one.commit(second, { events: [STARTED], money: [settle('b', 5)] });
    expect(events.map((event) => event.seq)).toEqual([2, 3]);
    await other.commit(second, { money: [reserve('run_2', 'd', 85)] });
    await expect(one.commit(first, { money: [reserve('run_1', 'e', 1)] })).rejects.toMatchObject({
      details: { spentNanoUsd: 15, heldNanoUsd: 85 },
    });
    expect(await one.checkInvariants()).toEqual([]);
  });

  it('has no trace of a unit that was taken back, wherever that broke off', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100, projectLimit: 100 });
    await store.commit(claim, { steps: [stepRow('a')], money: [reserve('run_1', 'r1', 40)], events: [STARTED] });
    const twice = { steps: [stepRow('b'), stepRow('a', { inputHash: 'other' })], events: [STARTED] };
    const diverged = { code: 'DIVERGED' };
    await expect(store.commit(claim, { ...twice, money: [reserve('run_1', 'r2', 50)] })).rejects.toMatchObject(
      diverged,
    );
    await expect(store.commit(claim, { ...twice, money: [settle('r1', 7)] })).rejects.toMatchObject(diverged);
    const over = [reserve('run_1', 'r3', 30), reserve('run_1', 'r4', 31)];
    await expect(store.commit(claim, { money: over })).rejects.toMatchObject({ details: { heldNanoUsd: 70 } });
    await expect(store.commit(claim, { money: [reserve('run_1', 'r1', 1)] })).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    expect(await moneyOf(opened)).toEqual([
      [0, 40],
      [0, 40],
    ]);
    // Exactly what is free, under a name that was used in vain.
    await store.commit(claim, { money: [reserve('run_1', 'r2', 60)] });
    const { events } = await store.commit(claim, {
      steps: [stepRow('b')],
      money: [settle('r1', 7), settle('r2', 60)],
      events: [STARTED],
    });
    expect(events.map(({ seq, body }) => [seq, body.type])).toEqual([
      [2, 'task.started'],
      [3, 'money'],
    ]);
    expect(events[1]?.body).toMatchObject({ spent: { nanoUsd: 67, usd: '0.000000067' }, held: { nanoUsd: 0 } });
    expect(await moneyOf(opened)).toEqual([
      [67, 0],
      [67, 0],
    ]);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('has no trace of units that were taken back in the middle of a group', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, { steps: [stepRow('a')] });
    const bad = (id: string) => ({
      money: [reserve('run_1', id, 60)],
      steps: [stepRow('b'), stepRow('a', { inputHash: 'other' })],
    });
    const results = await Promise.allSettled([
      store.commit(claim, { money: [reserve('run_1', 'r1', 30)], events: [STARTED] }),
      store.commit(claim, bad('r2')),
      store.commit(claim, bad('r3')),
      store.commit(claim, { money: [reserve('run_1', 'r4', 70)], events: [STARTED], steps: [stepRow('c')] }),
      store.commit(claim, { money: [reserve('run_1', 'r5', 1)] }),
    ]);
    expect(results.map((result) => (result.status === 'fulfilled' ? 'done' : codeOf(result.reason)))).toEqual([
      'done',
      'DIVERGED',
      'DIVERGED',
      'done',
      'BUDGET_EXHAUSTED',
    ]);
    expect(await moneyOf(opened)).toEqual([
      [0, 100],
      [0, 100],
    ]);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('is written with the rows of many units at once, without those of a bad one among them', async () => {
    await using opened = await open();
    const { store } = opened;
    const runs = Array.from({ length: 45 }, (_, n) => `run_${n}`);
    const claims = await Promise.all(runs.map((id) => begin(store, id, { projectLimit: 10_000 })));
    const commitAll = (unitOf: (id: string) => Unit): Promise<readonly PromiseSettledResult<Committed>[]> =>
      Promise.allSettled(claims.map((claim) => store.commit(claim, unitOf(claim.runId))));
    await commitAll((id) => ({ money: [reserve(id, `of ${id}`, 100)] }));
    expect((await store.budgets([PROJECT]))[0]).toMatchObject({ spentNanoUsd: 0, heldNanoUsd: 4500 });
    // Two statements' worth of text: rows as large as these are written one by one.
    const text = 'x'.repeat(60_000);
    const bad = ['run_7', 'run_44'];
    const results = await commitAll((id) => ({
      money: [settle(`of ${id}`, 90)],
      steps: [stepRow('a', { output: text }), stepRow(bad.includes(id) ? 'a' : 'b', { inputHash: 'other' })],
      events: [STARTED],
    }));
    expect(runs.filter((_, n) => results[n]?.status === 'rejected')).toEqual(bad);
    expect((await store.budgets([PROJECT]))[0]).toMatchObject({ spentNanoUsd: 43 * 90, heldNanoUsd: 200 });
    for (const id of ['run_0', 'run_7', 'run_43']) {
      const { steps, lastSeq } = await store.run(id);
      expect([id, steps.map((step) => step.key), lastSeq]).toEqual(
        bad.includes(id) ? [id, [], 0] : [id, ['a', 'b'], 2],
      );
    }
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('is read anew after a run was put away in a unit that was then taken back', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'r1', 40), reserve('run_1', 'r2', 40)] });
    // Breaks off at the last statement of all, which is behind those that were read anew.
    const unreadable = { ...STARTED, type: 'task.started\0' } as unknown as typeof STARTED;
    const late = {
      state: { status: 'paused', reason: null },
      money: [settle('r1', 10)],
      events: [unreadable],
    } as const;
    await expect(store.commit(claim, late)).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    await expect(store.commit(claim, { money: [reserve('run_1', 'r3', 21)] })).rejects.toMatchObject({
      details: { spentNanoUsd: 0, heldNanoUsd: 80 },
    });
    await store.requestCancel('run_1');
    const pause = { state: { status: 'paused', reason: null }, money: [settle('r1', 10)] } as const;
    await expect(store.commit(claim, pause)).rejects.toMatchObject({ code: 'RUN_CANCELLING' });
    await store.commit(claim, { money: [settle('r1', 20)] });
    expect(await moneyOf(opened)).toEqual([
      [20, 40],
      [20, 40],
    ]);
    await store.commit(claim, { state: { status: 'cancelled', reason: null } });
    expect(await moneyOf(opened)).toEqual([
      [60, 0],
      [60, 0],
    ]);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('is nothing that lets a driver reserve for a run that was taken over, or is over', async () => {
    await using opened = await open();
    const { store } = opened;
    const first = await begin(store, 'run_1');
    // Leaves nothing open, which would make it forget everything.
    const commit = async (claim: typeof first, id: string): Promise<void> => {
      await store.commit(claim, { money: [reserve('run_1', id, 1)] });
      await store.commit(claim, { money: [settle(id, 1)] });
    };
    await expect(commit({ ...first, runId: 'run_2' }, 'a')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await commit(first, 'r1');
    const second = await store.claim('run_1');
    await expect(commit(first, 'r2')).rejects.toMatchObject({ code: 'FENCED' });
    await commit(second, 'r2');
    await end(store, second, 'completed');
    await expect(commit(second, 'r3')).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
    await begin(store, 'run_2');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('follows limits, days and decisions that come between two units of a run', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    const approval = {
      id: 'apr_1',
      step: 'a',
      kind: 'node',
      title: 'T',
      request: {},
      digest: 'd',
      expiresAt: null,
    } as const;
    await store.commit(claim, { money: [reserve('run_1', 'r1', 40)], approvals: [approval], events: [STARTED] });
    await store.setLimit(limitOrder(PROJECT, 50));
    await expect(store.commit(claim, { money: [reserve('run_1', 'r2', 11)] })).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
    });
    await store.setLimit({ level: PROJECT, period: 'day', limitNanoUsd: 45, by: 'test' });
    await expect(store.commit(claim, { money: [reserve('run_1', 'r2', 10)] })).rejects.toMatchObject({
      details: { period: 'day', limitNanoUsd: 45, heldNanoUsd: 40 },
    });
    await store.decide('apr_1', { decision: 'approve', digest: 'd', by: 'ann' });
    const { events } = await store.commit(claim, { events: [STARTED], money: [settle('r1', 23)] });
    expect(events.map((event) => event.seq)).toEqual([3, 4]);
    expect((await store.alerts(0)).map(({ period, percent }) => [period, percent])).toEqual([['day', 50]]);
    expect(await store.checkInvariants()).toEqual([]);
  });
});
