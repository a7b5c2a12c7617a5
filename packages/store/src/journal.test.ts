import type { Unit } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import {
  BACKENDS,
  begin,
  documentOf,
  end,
  handClock,
  levelsOf,
  limitOrder,
  newRun,
  PROJECT,
  reserve,
  settle,
  stepRow,
} from './testing/support.ts';

describe.each(BACKENDS)('the journal on $name', ({ open }) => {
  it('gives back a run as it was started, with the limit that holds now', async () => {
    await using opened = await open();
    const run = newRun('run_1', { limit: 500 });
    const odd = { ...run, document: { ...documentOf('a'), title: 'NUL \0, half a pair \ud800, €' } };
    await opened.store.start(odd, [
      { scope: 'run', id: 'run_1', limitNanoUsd: 500 },
      { ...PROJECT, limitNanoUsd: null },
    ]);
    expect((await opened.store.claim('run_1')).run).toEqual(odd);
    await opened.store.setLimit(limitOrder({ scope: 'run', id: 'run_1' }, 900));
    expect((await (await opened.reopen()).claim('run_1')).run).toEqual({ ...odd, limitNanoUsd: 900 });
  });

  it('[X2.one-live-run] refuses a second run of a change until the first is finished, however many try', async () => {
    await using opened = await open();
    const claim = await begin(opened.store, 'run_1', { slug: 'a' });
    const start = (id: string, slug: string, projectId = PROJECT.id): Promise<void> =>
      opened.store.start(newRun(id, { slug, projectId }), []);
    await expect(start('run_2', 'a')).rejects.toMatchObject({ code: 'RUN_EXISTS', details: { runId: 'run_1' } });
    await expect(start('run_1', 'other')).rejects.toMatchObject({ code: 'RUN_EXISTS', details: { runId: 'run_1' } });
    await start('run_3', 'b');
    await start('run_4', 'a', 'another project');
    await end(opened.store, claim, 'paused');
    await expect(start('run_2', 'a')).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    await end(opened.store, claim, 'failed');
    const tries = await Promise.allSettled(['run_5', 'run_6', 'run_7'].map((id) => start(id, 'a')));
    expect(tries.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await opened.store.liveRunOf(PROJECT.id, 'a')).toBe('run_5');
    expect(await opened.store.liveRunOf(PROJECT.id, 'none')).toBeUndefined();
  });

  it('[X2.fence] drops what a replaced worker commits, and lets nobody drive a finished run', async () => {
    await using opened = await open();
    const { store } = opened;
    const stale = await begin(store, 'run_1');
    const fresh = await (await opened.reopen()).claim('run_1');
    expect(fresh.fence).toBeGreaterThan(stale.fence);
    const late = store.commit(stale, {
      steps: [stepRow('late')],
      events: [{ type: 'task.started', taskId: '1.1', title: '' }],
    });
    await expect(late).rejects.toMatchObject({ code: 'FENCED' });
    await expect(end(store, stale, 'failed')).rejects.toMatchObject({ code: 'FENCED' });
    const { run, steps, lastSeq } = await store.run('run_1');
    expect([run.status, steps, lastSeq]).toEqual(['running', [], 0]);
    await end(store, fresh, 'completed');
    await expect(store.commit(fresh, {})).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
    await expect(store.claim('run_1')).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
    await expect(store.commit(stale, {})).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('is RUN_NOT_FOUND for a run that is not there', async () => {
    await using opened = await open();
    const claim = await begin(opened.store, 'run_1');
    const none = { ...claim, runId: 'none' };
    for (const asked of [
      () => opened.store.claim('none'),
      () => opened.store.commit(none, {}),
      () => opened.store.events('none', 0, 10),
      () => opened.store.run('none'),
      () => opened.store.ledger('none'),
      () => opened.store.setLimit(limitOrder({ scope: 'run', id: 'none' }, 1)),
    ]) {
      await expect(asked()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    }
  });

  it('[X2.insert-only] [X2.diverged] keeps the first row of a key, and tells another input from the same', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    const first = stepRow('task[1.1]/try[0]/turn[0]', {
      name: 'a\0b',
      output: undefined,
      isError: true,
      costNanoUsd: 7,
    });
    await store.commit(claim, { steps: [first] });
    const again = store.commit(claim, { steps: [{ ...first, output: 'other' }] });
    await expect(again).rejects.toMatchObject({ code: 'FENCED', details: { key: first.key } });
    const other = store.commit(claim, { steps: [stepRow('new'), { ...first, inputHash: 'other' }] });
    await expect(other).rejects.toMatchObject({ code: 'DIVERGED', details: { key: first.key } });
    await expect(store.commit(claim, { steps: [stepRow('twice'), stepRow('twice')] })).rejects.toMatchObject({
      code: 'FENCED',
    });
    expect((await store.claim('run_1')).steps).toEqual([{ ...first, output: null }]);
  });

  it('gives the steps in the order in which they were committed', async () => {
    await using opened = await open();
    const claim = await begin(opened.store, 'run_1');
    const keys = ['turn[9]', 'turn[10]', 'a', 'Z'];
    await opened.store.commit(claim, { steps: keys.slice(0, 2).map((key) => stepRow(key, { endedAt: 5 })) });
    await opened.store.commit(claim, { steps: keys.slice(2).map((key) => stepRow(key, { endedAt: 1 })) });
    expect((await opened.store.claim('run_1')).steps.map((step) => step.key)).toEqual(keys);
  });

  it('[X2.tool-intent] remembers a tool call that was begun and has no row', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    const intent = { key: 'tool[0]', inputHash: 'h0', repeatable: false, name: 'fs:write\0' };
    const done = { key: 'tool[1]', inputHash: 'hash of tool[1]', repeatable: true, name: 'fs:read' };
    await store.commit(claim, { intents: [intent, done] });
    await store.commit(claim, { steps: [stepRow('tool[1]', { kind: 'tool' })] });
    const next = await store.claim('run_1');
    expect(next.openIntents).toEqual([intent]);
    await store.commit(next, { intents: [intent] });
    const other = store.commit(next, { intents: [{ ...intent, inputHash: 'other' }] });
    await expect(other).rejects.toMatchObject({ code: 'DIVERGED', details: { key: 'tool[0]' } });
    expect((await store.claim('run_1')).openIntents).toEqual([intent]);
  });

  it('[X2.seq] numbers events without a gap, whoever commits at once, and after refused units', async () => {
    const clock = handClock();
    await using opened = await open(clock);
    const { store } = opened;
    const claims = [await begin(store, 'run_1'), await begin(store, 'run_2')];
    const event = (n: number): { type: 'task.started'; taskId: string; title: string } => ({
      type: 'task.started',
      taskId: String(n),
      title: '\0',
    });
    const commits = claims.flatMap((claim) =>
      Array.from({ length: 30 }, (_, n) => {
        const refused = n % 3 === 0 ? { money: [settle('none', 1)] } : {};
        return store.commit(claim, { events: [event(n), event(n)], ...refused });
      }),
    );
    const results = await Promise.allSettled(commits);
    const given = results.flatMap((result) => (result.status === 'fulfilled' ? result.value.events : []));
    for (const claim of claims) {
      const stored = await store.events(claim.runId, 0, 1000);
      expect(stored.map((row) => row.seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(given.filter((row) => row.runId === claim.runId).toSorted((a, b) => a.seq - b.seq)).toEqual(stored);
      expect((await store.run(claim.runId)).lastSeq).toBe(40);
    }
    expect(await store.events('run_1', 38, 1)).toEqual([
      expect.objectContaining({ seq: 39, runId: 'run_1', at: clock.now() }),
    ]);
    expect(await store.events('run_1', 40, 10)).toEqual([]);
    // Large ones come in pages of their own, each at least one event.
    const note = 'x'.repeat(200_000);
    for (const claim of claims.slice(0, 1))
      for (let n = 0; n < 5; n += 1) await store.commit(claim, { events: [{ ...event(n), title: note }] });
    const pages = [];
    for (let after = 40; ;) {
      const page = await store.events('run_1', after, 1000);
      if (page.length === 0) break;
      pages.push(page.map(({ seq }) => seq));
      after = page.at(-1)?.seq ?? 0;
    }
    expect(pages).toEqual([[41, 42], [43, 44], [45]]);
  });

  it('[X2.atomic] stores all of a unit or nothing of it', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = await begin(store, 'run_1', { limit: 100 });
    await store.commit(claim, { money: [reserve('run_1', 'open', 40)] });
    const before = [await store.run('run_1'), await store.budgets(levelsOf('run_1'))];
    const whole = {
      steps: [stepRow('a')],
      intents: [{ key: 'b', inputHash: 'h', repeatable: true, name: 'n' }],
      events: [{ type: 'task.started', taskId: '1.1', title: '' } as const],
      money: [settle('open', 10), reserve('run_1', 'more', 91)],
      state: { status: 'completed', reason: null } as const,
    };
    await expect(store.commit(claim, whole)).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' });
    const { run, ...rest } = await store.run('run_1');
    expect([{ run, ...rest }, await store.budgets(levelsOf('run_1'))]).toEqual(before);
    await store.commit(claim, { ...whole, money: [settle('open', 10), reserve('run_1', 'more', 90)] });
    expect((await store.run('run_1')).run.status).toBe('completed');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('says when a run was at work last, whatever it wrote, and nothing of money that is only held', async () => {
    const clock = handClock();
    await using opened = await open(clock);
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    const started = { type: 'task.started', taskId: '1.1', title: '' } as const;
    const units: readonly (readonly [Unit, isSeen: boolean])[] = [
      [{ events: [started] }, true],
      [{ money: [reserve('run_1', 'r1', 5)] }, false],
      [{ money: [settle('r1', 5)] }, true],
      [{ steps: [stepRow('a')] }, true],
      [{ state: { status: 'running', reason: null } }, true],
    ];
    let last = clock.now();
    for (const [unit, isSeen] of units) {
      clock.advance(1000);
      if (isSeen) last = clock.now();
      await store.commit(claim, unit);
      expect((await store.run('run_1')).run.updatedAt, JSON.stringify(unit)).toBe(new Date(last).toISOString());
    }
  });

  it('keeps states with their reason, and when a run ended', async () => {
    const clock = handClock();
    await using opened = await open(clock);
    const { store } = opened;
    const claim = await begin(store, 'run_1');
    const reason = { code: 'BUDGET_EXHAUSTED', message: 'm\0', hint: 'h', details: { needed: 3 } };
    await store.commit(claim, { state: { status: 'paused', reason } });
    expect((await store.run('run_1')).run).toMatchObject({ status: 'paused', reason, finishedAt: null });
    expect(await store.unfinished(PROJECT.id)).toEqual([]);
    await store.commit(await store.claim('run_1'), { state: { status: 'running', reason: null } });
    expect(await store.unfinished(PROJECT.id)).toEqual(['run_1']);
    clock.advance(1000);
    await end(store, await store.claim('run_1'), 'cancelled');
    const finishedAt = new Date(clock.now()).toISOString();
    expect((await store.run('run_1')).run).toMatchObject({
      status: 'cancelled',
      reason: null,
      finishedAt,
      updatedAt: finishedAt,
    });
  });
});
