import { Run, RunDetail, type TaskOutcome } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import {
  BACKENDS,
  begin,
  documentOf,
  end,
  handClock,
  newRun,
  PROJECT,
  reserve,
  settle,
  stepRow,
  USAGE,
} from './testing/support.ts';

const outcome = (taskId: string, ticked: boolean): TaskOutcome => ({
  taskId,
  ticked,
  verification: ticked ? 'checked' : null,
  attempts: 1,
  evidence: [],
  note: '',
});

describe.each(BACKENDS)('what is read of runs on $name', ({ open }) => {
  it('shows a run with its money, usage, counts and tasks', async () => {
    await using opened = await open(handClock());
    const { store } = opened;
    const run = { ...newRun('run_1', { limit: 1000 }), document: documentOf('a', ['1.1', '1.2', '1.10', '#4']) };
    await store.start(run, [
      { scope: 'run', id: 'run_1', limitNanoUsd: 1000 },
      { ...PROJECT, limitNanoUsd: null },
    ]);
    const claim = await store.claim('run_1');
    const started = (taskId: string): { type: 'task.started'; taskId: string; title: string } => ({
      type: 'task.started',
      taskId,
      title: '',
    });
    const call = (task: string, id: string): Parameters<typeof store.commit>[1] => ({
      money: [reserve('run_1', id, 100, `task[${task}]/try[0]/turn[0]`)],
    });
    await store.commit(claim, { ...call('1.1', 'r1'), events: [started('1.1')] });
    await store.commit(claim, { money: [settle('r1', 30)], steps: [stepRow('task[1.1]/try[0]/turn[0]')] });
    await store.commit(claim, { steps: [stepRow('task[1.1]/try[0]/turn[0]/tool[0]', { kind: 'tool' })] });
    await store.commit(claim, {
      steps: [stepRow('task[1.1]', { kind: 'task', name: '1.1', output: outcome('1.1', true) })],
    });
    await store.commit(claim, { ...call('1.10', 'r2'), events: [started('1.10')] });
    await store.commit(claim, { money: [settle('r2', 100, 'unknown')] });
    await store.commit(claim, {
      steps: [stepRow('task[1.10]', { kind: 'task', name: '1.10', output: outcome('1.10', false) })],
    });
    await store.commit(claim, { ...call('#4', 'r3'), events: [started('#4')] });
    const { run: shown, steps, ledger, lastSeq } = RunDetail.parse(await store.run('run_1'));
    expect(shown).toMatchObject({
      id: 'run_1',
      slug: 'a',
      title: 'Title of a',
      status: 'running',
      model: 'claude-test',
      simulated: false,
      documentHash: 'hash of run_1',
      money: { limit: { nanoUsd: 1000 }, spent: { nanoUsd: 130 }, held: { nanoUsd: 100 } },
      usage: USAGE,
      counts: { modelCalls: 1, toolCalls: 1, unknownOutcomes: 1 },
    });
    expect(
      shown.tasks.map(({ id, status, verification, costNanoUsd }) => [id, status, verification, costNanoUsd]),
    ).toEqual([
      ['1.1', 'done', 'checked', 30],
      ['1.2', 'open', null, 0],
      ['1.10', 'failed', null, 100],
      ['#4', 'running', null, 0],
    ]);
    expect([steps.length, ledger.length, lastSeq]).toEqual([4, 3, 5]);
    await end(store, claim, 'paused');
    expect((await store.run('run_1')).run.tasks.at(-1)).toMatchObject({ status: 'open', costNanoUsd: 100 });
  });

  it('pages through the runs of a project or of a change, newest first', async () => {
    const clock = handClock();
    await using opened = await open(clock);
    const { store } = opened;
    for (let n = 0; n < 7; n += 1) {
      await end(store, await begin(store, `run_${n}`, { slug: n % 2 === 0 ? 'even' : 'odd' }), 'completed');
      if (n !== 3) clock.advance(1000);
    }
    await store.start(newRun('elsewhere', { projectId: 'other' }), []);
    const page = await store.runs({ projectId: PROJECT.id, limit: 3, offset: 3 });
    expect(page).toMatchObject({ page: 2, pageSize: 3, total: 7, nextPageToken: '6' });
    expect(page.items.map((run) => Run.parse(run).id)).toEqual(['run_3', 'run_2', 'run_1']);
    const last = await store.runs({ projectId: PROJECT.id, limit: 3, offset: 6 });
    expect([last.nextPageToken, last.items.map((run) => run.id)]).toEqual([null, ['run_0']]);
    const odd = await store.runs({ projectId: PROJECT.id, slug: 'odd', limit: 200, offset: 0 });
    expect([odd.total, odd.items.map((run) => run.id)]).toEqual([3, ['run_5', 'run_3', 'run_1']]);
    expect(await store.runs({ projectId: 'none', limit: 10, offset: 0 })).toMatchObject({
      total: 0,
      items: [],
      nextPageToken: null,
    });
  });

  it('keeps the figures of the runs on one page apart', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const [id, amount] of [
      ['run_1', 5],
      ['run_2', 7],
    ] as const) {
      const claim = await begin(store, id);
      await store.commit(claim, {
        money: [reserve(id, `${id} r`, 10)],
        events: [{ type: 'task.started', taskId: '1.2', title: '' }],
      });
      await store.commit(claim, {
        money: [settle(`${id} r`, amount)],
        steps: [stepRow('task[1.1]', { kind: 'task', output: outcome('1.1', id === 'run_1') })],
      });
    }
    const { items } = await store.runs({ projectId: PROJECT.id, limit: 10, offset: 0 });
    const shown = items
      .toSorted((a, b) => a.id.localeCompare(b.id))
      .map((run) => [run.money.spent.nanoUsd, run.usage, run.tasks.map((task) => task.status)]);
    expect(shown).toEqual([
      [5, USAGE, ['done', 'running']],
      [7, USAGE, ['failed', 'running']],
    ]);
    expect(items.map((run) => run.counts)).toEqual(
      items.map(() => ({ modelCalls: 0, toolCalls: 0, unknownOutcomes: 0 })),
    );
    for (const run of items) expect((await store.run(run.id)).run).toEqual(run);
  });

  it('gives a receipt every run of the change, oldest first, with what it names', async () => {
    const clock = handClock();
    await using opened = await open(clock);
    const { store } = opened;
    for (const id of ['run_2', 'run_1']) {
      const claim = await begin(store, id, { slug: 'a' });
      await store.commit(claim, {
        steps: [
          stepRow('m'),
          stepRow('t', { kind: 'tool', name: 'fs:write' }),
          stepRow('task[1.1]', { kind: 'task', output: outcome('1.1', true) }),
        ],
      });
      await store.commit(claim, { money: [reserve(id, `${id} r`, 10)] });
      await end(store, claim, 'completed');
      clock.advance(1);
    }
    await begin(store, 'other', { slug: 'b' });
    const runs = await store.receiptRuns(PROJECT.id, 'a');
    expect(runs.map((detail) => [detail.run.id, detail.steps.map((step) => step.kind), detail.ledger.length])).toEqual([
      ['run_2', ['tool', 'task'], 1],
      ['run_1', ['tool', 'task'], 1],
    ]);
    expect(runs[0]?.run.counts.modelCalls).toBe(1);
    expect(await store.receiptRuns(PROJECT.id, 'none')).toEqual([]);
  });

  it('remembers the larger count of a prompt prefix, per model', async () => {
    await using opened = await open();
    const { store } = opened;
    expect(await store.getPrefixTokens('m', 'h')).toBeUndefined();
    await store.putPrefixTokens('m', 'h', 10);
    await store.putPrefixTokens('m', 'h', 8);
    await store.putPrefixTokens('n', 'h', 3);
    expect(await (await opened.reopen()).getPrefixTokens('m', 'h')).toBe(10);
    await store.putPrefixTokens('m', 'h', 12);
    expect([await store.getPrefixTokens('m', 'h'), await store.getPrefixTokens('n', 'h')]).toEqual([12, 3]);
  });

  it('forgets the oldest prompt prefixes', async () => {
    await using opened = await open();
    const { store } = opened;
    await Promise.all(Array.from({ length: 9_999 }, (_, n) => store.putPrefixTokens('m', `h${n}`, n)));
    await store.putPrefixTokens('m', 'h0', 0);
    await store.putPrefixTokens('m', 'x', 1);
    expect(await store.getPrefixTokens('m', 'h1')).toBe(1);
    await store.putPrefixTokens('m', 'y', 1);
    expect([await store.getPrefixTokens('m', 'h0'), await store.getPrefixTokens('m', 'h1')]).toEqual([0, undefined]);
    expect([await store.getPrefixTokens('m', 'h2'), await store.getPrefixTokens('m', 'x')]).toEqual([2, 1]);
  });
});
