import { describe, expect, it } from 'vitest';
import {
  BACKENDS,
  begin,
  end,
  levelsOf,
  limitOrder,
  newRun,
  PROJECT,
  reserve,
  settle,
  USAGE,
} from './testing/support.ts';

describe.each(BACKENDS)('the money of a run on $name', ({ open }) => {
  it('[X1.reserve] [X1.settle] is held at every level, then spent once', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100, projectLimit: 1000 });
    await store.commit(claim, { money: [reserve('run_1', 'r1', 60)] });
    const held = { spentNanoUsd: 0, heldNanoUsd: 60 };
    expect(await store.budgets(levelsOf('run_1'))).toMatchObject([held, held]);
    await store.commit(claim, { money: [settle('r1', 25)] });
    const spent = { spentNanoUsd: 25, heldNanoUsd: 0 };
    expect(await (await opened.reopen()).budgets(levelsOf('run_1'))).toMatchObject([spent, spent]);
    const [row] = await store.ledger('run_1');
    expect(row).toMatchObject({
      id: 'r1',
      outcome: 'known',
      reserved: { nanoUsd: 60 },
      amount: { nanoUsd: 25 },
      usage: USAGE,
      requestId: 'req of r1',
      stepKey: 'task[1.1]/try[0]/turn[0]',
      attempt: 1,
      model: 'claude-test',
      priceId: 'price-1',
    });
  });

  it('refuses to settle twice, what nobody reserved, and what another run reserved', async () => {
    await using opened = await open();
    const { store } = opened;
    const one = await begin(store, 'run_1');
    const two = await begin(store, 'run_2');
    await store.commit(one, { money: [reserve('run_1', 'r1', 60), reserve('run_1', 'r2', 5)] });
    await store.commit(one, { money: [settle('r1', 25)] });
    const reasons = [
      [one, settle('r1', 25), /settled already/u],
      [one, settle('r1', 0, 'released'), /settled already/u],
      [one, settle('none', 1), /does not have/u],
      [two, settle('r2', 5), /does not have/u],
      [one, settle('r2', 6, 'unknown'), /more than was reserved/u],
      [one, settle('r2', -1), /refused a statement/u],
      [one, settle('r2', 0.5), /not a safe integer/u],
      [one, settle('r2', 1, 'released'), /refused a statement/u],
      [one, reserve('run_1', 'r2', 1), /refused a statement/u],
      [one, reserve('run_1', 'r3', -1), /refused a statement/u],
    ] as const;
    for (const [claim, op, message] of reasons) {
      const error = { code: 'INTERNAL_ERROR', message: expect.stringMatching(message) };
      await expect(store.commit(claim, { money: [op] }), JSON.stringify(op)).rejects.toMatchObject(error);
    }
    await expect(store.commit(one, { money: [settle('r2', 1), settle('r2', 1)] })).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    expect(await store.budgets(levelsOf('run_1'))).toMatchObject([
      { spentNanoUsd: 25, heldNanoUsd: 5 },
      { spentNanoUsd: 25, heldNanoUsd: 5 },
    ]);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('[X1.released] [X1.unknown] gives back what was not billed, and books the bound of what nobody knows', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, {
      money: [reserve('run_1', 'r1', 30), reserve('run_1', 'r2', 30), reserve('run_1', 'r3', 30)],
    });
    await store.commit(claim, {
      money: [settle('r1', 0, 'released'), settle('r2', 30, 'unknown'), settle('r3', 12, 'unknown')],
    });
    expect(await store.budgets(levelsOf('run_1').slice(0, 1))).toMatchObject([{ spentNanoUsd: 42, heldNanoUsd: 0 }]);
    const { run, ledger } = await store.run('run_1');
    expect(ledger.map((row) => [row.outcome, row.amount.nanoUsd, row.usage])).toEqual([
      ['released', 0, null],
      ['unknown', 30, null],
      ['unknown', 12, null],
    ]);
    expect(run.counts.unknownOutcomes).toBe(2);
  });

  it('[X1.levels] is refused by the level that is tightest, with the figures of that moment', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100, projectLimit: 150 });
    const other = await begin(store, 'a_run', { limit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'r1', 70)] });
    const refused = { code: 'BUDGET_EXHAUSTED' };
    await expect(store.commit(claim, { money: [reserve('run_1', 'r2', 31)] })).rejects.toMatchObject({
      ...refused,
      details: { scope: 'run', id: 'run_1', limitNanoUsd: 100, spentNanoUsd: 0, heldNanoUsd: 70, neededNanoUsd: 31 },
    });
    await store.commit(claim, { money: [settle('r1', 65)] });
    await expect(store.commit(other, { money: [reserve('a_run', 'r3', 86)] })).rejects.toMatchObject({
      ...refused,
      details: {
        scope: 'project',
        id: PROJECT.id,
        limitNanoUsd: 150,
        spentNanoUsd: 65,
        heldNanoUsd: 0,
        neededNanoUsd: 86,
      },
    });
    // The unit's own reservations count too.
    const both = [reserve('a_run', 'r3', 50), reserve('a_run', 'r4', 51)];
    await expect(store.commit(other, { money: both })).rejects.toMatchObject({
      details: { scope: 'project', period: 'lifetime', slot: '', heldNanoUsd: 50, neededNanoUsd: 51 },
    });
    expect(await store.budgets(levelsOf('a_run'))).toMatchObject([{ heldNanoUsd: 0 }, { heldNanoUsd: 0 }]);
    await store.commit(other, { money: [reserve('a_run', 'r3', 85)] });
  });

  it('is refused where the limit of a run is not that of its own level', async () => {
    await using opened = await open();
    const start = opened.store.start(newRun('run_1', { limit: 5 }), [{ ...PROJECT, limitNanoUsd: 5 }]);
    await expect(start).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  it('[X1.never-over] never passes a limit, however many reserve at once', async () => {
    await using opened = await open();
    const { store } = opened;
    const claims = [
      await begin(store, 'run_1', { limit: 700, projectLimit: 1000 }),
      await begin(store, 'run_2', { limit: 700 }),
    ];
    const results = await Promise.allSettled(
      Array.from({ length: 400 }, async (_, n) => {
        const claim = claims[n % 2];
        if (claim === undefined) return;
        await store.commit(claim, { money: [reserve(claim.runId, `r${n}`, 10)] });
        if (n % 4 === 0) await store.commit(claim, { money: [settle(`r${n}`, 4)] });
      }),
    );
    const codes = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as { code: string }).code] : [],
    );
    expect(new Set(codes)).toEqual(new Set(['BUDGET_EXHAUSTED']));
    for (const budget of await store.budgets([...levelsOf('run_1'), ...levelsOf('run_2')])) {
      expect(budget.spentNanoUsd + budget.heldNanoUsd).toBeLessThanOrEqual(budget.limitNanoUsd ?? 0);
    }
    const reserved = [...(await store.ledger('run_1')), ...(await store.ledger('run_2'))];
    expect(reserved.length).toBeGreaterThanOrEqual(100);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('[X1.unknown] books what a dead driver left open at its bound, when the run is claimed', async () => {
    await using opened = await open();
    const { store } = opened;
    const first = await begin(store, 'run_1', { limit: 100 });
    const other = await begin(store, 'run_2', { limit: 100 });
    await store.commit(other, { money: [reserve('run_2', 'other', 9)] });
    await store.commit(first, {
      money: [reserve('run_1', 'r1', 30), reserve('run_1', 'r2', 20), reserve('run_1', 'r3', 10)],
    });
    await store.commit(first, { money: [settle('r2', 5)] });
    const second = await (await opened.reopen()).claim('run_1');
    expect(await store.budgets([{ scope: 'run', id: 'run_1' }, PROJECT])).toMatchObject([
      { spentNanoUsd: 45, heldNanoUsd: 0 },
      { spentNanoUsd: 45, heldNanoUsd: 9 },
    ]);
    expect((await store.ledger('run_1')).map((row) => row.outcome)).toEqual(['unknown', 'known', 'unknown']);
    await expect(store.commit(first, { money: [settle('r1', 1)] })).rejects.toMatchObject({ code: 'FENCED' });
    await expect(store.commit(second, { money: [settle('r1', 1)] })).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    await store.claim('run_1');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it.each(['paused', 'completed', 'failed', 'cancelled'] as const)('is held by no run that is %s', async (status) => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'r1', 30), reserve('run_1', 'r2', 30)] });
    await store.commit(claim, { money: [settle('r1', 7)], state: { status, reason: null } });
    expect(await store.budgets(levelsOf('run_1'))).toMatchObject([
      { spentNanoUsd: 37, heldNanoUsd: 0 },
      { spentNanoUsd: 37 },
    ]);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('keeps a limit that is lowered below what is spent: only new reservations are refused', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    const level = { scope: 'run', id: 'run_1' } as const;
    await store.commit(claim, { money: [reserve('run_1', 'r1', 30), reserve('run_1', 'r2', 30)] });
    expect(await store.setLimit(limitOrder(level, 10))).toEqual({
      ...level,
      limitNanoUsd: 10,
      spentNanoUsd: 0,
      heldNanoUsd: 60,
    });
    await store.commit(claim, { money: [settle('r1', 30), settle('r2', 35)] });
    await expect(store.commit(claim, { money: [reserve('run_1', 'r3', 0)] })).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
    });
    await store.setLimit(limitOrder(level, null));
    await store.commit(claim, { money: [reserve('run_1', 'r3', 1_000_000)] });
    await end(store, claim, 'failed');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('keeps the limit of a budget that is there already, and makes one for a project that has none', async () => {
    await using opened = await open();
    const { store } = opened;
    const [none] = await store.budgets([PROJECT]);
    expect(none).toEqual({ ...PROJECT, limitNanoUsd: null, spentNanoUsd: 0, heldNanoUsd: 0 });
    await store.ensureBudget(PROJECT, 5);
    await store.ensureBudget(PROJECT, 6);
    await begin(store, 'run_1', { projectLimit: 7 });
    expect(await store.budgets([PROJECT])).toMatchObject([{ limitNanoUsd: 5 }]);
    const simulated = { scope: 'project', id: `${PROJECT.id}:simulated` } as const;
    expect(await store.setLimit(limitOrder(simulated, 9))).toMatchObject({ limitNanoUsd: 9 });
    await expect(store.setLimit(limitOrder(PROJECT, -1))).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  });
});
