import { approvalTopic, codeOf, type Claim, type NewApproval, type RunWait } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import type { Store } from './store.ts';
import { BACKENDS, begin, end, handClock, levelsOf, newRun, stepRow } from './testing/support.ts';

const codeFrom = async (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );

const question = (over: Partial<NewApproval> = {}): NewApproval => ({
  id: 'apr_1',
  step: 'ask',
  kind: 'node',
  title: 'Publish?',
  request: { text: 'Hello' },
  digest: 'digest of hello',
  expiresAt: null,
  ...over,
});

const ask = (store: Store, claim: Claim, approval = question()) =>
  store.commit(claim, {
    approvals: [approval],
    steps: [stepRow(approval.step, { kind: 'approval' })],
    events: [
      {
        type: 'approval.requested',
        approval: approval.id,
        step: approval.step,
        kind: approval.kind,
        title: approval.title,
        expiresAt: null,
      },
    ],
  });

const wait = (store: Store, claim: Claim, waits: readonly RunWait[]) =>
  store.commit(claim, {
    state: { status: 'waiting', reason: null, waits },
    events: [
      ...waits.flatMap(({ key, until }) =>
        until === null ? [] : [{ type: 'wait.started' as const, step: key, until }],
      ),
      { type: 'run.state', status: 'waiting', reason: null },
    ],
  });

const forTopic = (topic: string, until: number | null = null): RunWait => ({ key: 'ask', topic, until });

describe.each(BACKENDS)('waiting on $name', ({ open }) => {
  it('a waiting run is woken by its signal or its time, and its waits go with the claim', async () => {
    const clock = handClock();
    await using backend = await open(clock);
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await wait(store, claim, [forTopic('a', clock.now() + 1000), { key: 'b', topic: null, until: clock.now() + 500 }]);
    const { run, waits } = await store.run('run_1');
    expect([run.status, waits.length]).toEqual(['waiting', 2]);
    expect(await store.due()).toEqual({ ready: [], next: clock.now() + 500 });
    await store.signal({ runId: 'run_1', topic: 'a', id: 's1', body: 1 });
    expect((await store.due()).ready).toEqual(['run_1']);
    const again = await store.claim('run_1');
    expect(again.fence).toBe(claim.fence + 1);
    expect((await store.run('run_1')).run.status).toBe('running');
    expect(await store.due()).toEqual({ ready: [], next: null });
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('a time that has come makes a run ready', async () => {
    const clock = handClock();
    await using backend = await open(clock);
    const claim = await begin(backend.store, 'run_1');
    await wait(backend.store, claim, [{ key: 'b', topic: null, until: clock.now() + 500 }]);
    clock.advance(499);
    expect((await backend.store.due()).ready).toEqual([]);
    clock.advance(1);
    expect(await backend.store.due()).toEqual({ ready: ['run_1'], next: null });
  });

  it('[D11] a clock that jumps back makes nothing ready early', async () => {
    const clock = handClock();
    await using backend = await open(clock);
    const claim = await begin(backend.store, 'run_1');
    await wait(backend.store, claim, [{ key: 'b', topic: null, until: clock.now() + 500 }]);
    clock.advance(-3_600_000);
    expect((await backend.store.due()).ready).toEqual([]);
    clock.advance(3_600_500);
    expect((await backend.store.due()).ready).toEqual(['run_1']);
  });

  it('[X2.approvals] a signal that is there already refuses the wait in the same unit', async () => {
    await using backend = await open();
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await store.signal({ runId: 'run_1', topic: 'a', id: 's1', body: null });
    expect(await codeFrom(wait(store, claim, [forTopic('b'), forTopic('a')]))).toBe('SIGNALLED');
    expect((await store.run('run_1')).run.status).toBe('running');
    expect(await codeFrom(store.commit(claim, { unless: ['a'], steps: [stepRow('x')] }))).toBe('SIGNALLED');
    expect((await store.run('run_1')).steps).toEqual([]);
  });

  it('the first signal of a topic wins, and the same one again is no other', async () => {
    await using backend = await open();
    const { store } = backend;
    await begin(store, 'run_1');
    const send = (id: string) => store.signal({ runId: 'run_1', topic: 'a', id, body: id });
    expect(await Promise.all([send('s1'), send('s2'), send('s1')])).toEqual([true, false, true]);
    expect(await store.signals('run_1')).toEqual([{ runId: 'run_1', topic: 'a', id: 's1', body: 's1' }]);
  });

  it('nothing can be signalled to a run that is over', async () => {
    await using backend = await open();
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await end(store, claim, 'completed');
    const signal = { topic: 'a', id: 's', body: null };
    expect(await codeFrom(store.signal({ runId: 'run_1', ...signal }))).toBe('RUN_NOT_RESUMABLE');
    expect(await codeFrom(store.signal({ runId: 'run_x', ...signal }))).toBe('RUN_NOT_FOUND');
  });

  it('[X2.approvals] an approval is decided once, with its signal and its event', async () => {
    await using backend = await open();
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await ask(store, claim);
    await wait(store, claim, [forTopic(approvalTopic('apr_1'))]);
    const decision = { decision: 'approve', digest: 'digest of hello', by: 'Ada', reason: 'fine' } as const;
    expect(await codeFrom(store.decide('apr_1', { ...decision, digest: 'another' }))).toBe('APPROVAL_CHANGED');
    expect(await codeFrom(store.decide('apr_2', decision))).toBe('APPROVAL_NOT_FOUND');
    const both = await Promise.all([
      codeFrom(store.decide('apr_1', decision)),
      codeFrom(store.decide('apr_1', { ...decision, decision: 'deny', by: 'Bob' })),
    ]);
    expect(both).toEqual([undefined, 'APPROVAL_DECIDED']);
    expect(await store.approval('apr_1')).toMatchObject({ status: 'approved', decidedBy: 'Ada', reason: 'fine' });
    expect((await store.signals('run_1')).map(({ body }) => body)).toEqual([
      { decision: 'approve', by: 'Ada', reason: 'fine', edited: null },
    ]);
    const events = await store.events('run_1', 0, 10);
    expect(events.at(-1)?.body).toMatchObject({ type: 'approval.decided', by: 'Ada', status: 'approved' });
    expect((await store.due()).ready).toEqual(['run_1']);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('an approval that nobody decided in time cannot be decided any more, and one that was decided does not expire', async () => {
    const clock = handClock();
    await using backend = await open(clock);
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await ask(store, claim, question({ expiresAt: clock.now() + 100 }));
    await ask(store, claim, question({ id: 'apr_2', step: 'ask2', expiresAt: clock.now() + 100 }));
    const decision = { decision: 'approve', digest: 'digest of hello', by: 'Ada' } as const;
    await store.decide('apr_2', decision);
    clock.advance(100);
    expect(await codeFrom(store.decide('apr_1', decision))).toBe('APPROVAL_EXPIRED');
    await store.commit(claim, { expired: ['apr_1'] });
    expect(await codeFrom(store.decide('apr_1', decision))).toBe('APPROVAL_EXPIRED');
    expect(await codeFrom(store.commit(claim, { expired: ['apr_2'] }))).toBe('SIGNALLED');
  });

  it('approvals are listed by run and by what is pending, and end with their run', async () => {
    await using backend = await open();
    const { store } = backend;
    for (const id of ['run_1', 'run_2']) {
      const claim = await begin(store, id);
      await ask(store, claim, question({ id: `apr of ${id}` }));
      if (id === 'run_2') await end(store, claim, 'failed');
    }
    const list = async (over: object) =>
      (await store.approvals({ projectId: 'prj', limit: 10, offset: 0, ...over })).items.map(({ id }) => id);
    expect(await list({})).toHaveLength(2);
    expect(await list({ pending: true })).toEqual(['apr of run_1']);
    expect(await list({ runId: 'run_2' })).toEqual(['apr of run_2']);
    expect((await store.approval('apr of run_2')).status).toBe('cancelled');
    expect(await codeFrom(store.decide('apr of run_2', { decision: 'deny', digest: 'digest of hello', by: 'A' }))).toBe(
      'APPROVAL_DECIDED',
    );
  });

  it('a cancellation that was promised lets work be recorded, and nothing but the cancellation end the run', async () => {
    await using backend = await open();
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await wait(store, claim, [forTopic('a')]);
    await store.requestCancel('run_1');
    const again = await store.claim('run_1');
    await store.commit(again, { steps: [stepRow('x')] });
    expect(await codeFrom(end(store, again, 'completed'))).toBe('RUN_CANCELLING');
    expect(await codeFrom(wait(store, again, [forTopic('a')]))).toBe('RUN_CANCELLING');
    expect(await store.unfinished('prj')).toEqual(['run_1']);
    await end(store, again, 'cancelled');
    expect((await store.run('run_1')).run.status).toBe('cancelled');
    expect(await codeFrom(store.requestCancel('run_1'))).toBe('RUN_NOT_RESUMABLE');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('a pause that was taken back is one no more, also for the next process', async () => {
    await using backend = await open();
    const { store } = backend;
    const claim = await begin(store, 'run_1');
    await end(store, claim, 'paused');
    expect(await store.unfinished('prj')).toEqual([]);
    await store.markRunning('run_1');
    const next = await backend.reopen();
    expect(await next.unfinished('prj')).toEqual(['run_1']);
  });

  it('[X5.fork] a run begins with the rows that it is given, insert-only from then on', async () => {
    await using backend = await open();
    const { store } = backend;
    const seeded = [stepRow('a', { kind: 'node', costNanoUsd: 7 }), stepRow('c', { kind: 'node' })];
    await store.start(
      { ...newRun('run_1'), seeded },
      levelsOf('run_1').map((level) => ({ ...level, limitNanoUsd: null })),
    );
    const claim = await store.claim('run_1');
    expect(claim.steps.map(({ key }) => key)).toEqual(['a', 'c']);
    expect((await store.run('run_1')).run.money.spent.nanoUsd).toBe(0);
    expect(await codeFrom(store.commit(claim, { steps: [stepRow('a', { inputHash: 'other' })] }))).toBe('DIVERGED');
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('many runs of one workflow live side by side, while a change has one', async () => {
    await using backend = await open();
    const { store } = backend;
    const start = (id: string, kind: 'workflow' | 'change') => {
      const run = newRun(id, { slug: 'same' });
      const workflow = {
        format: 1,
        variables: {},
        edges: [],
        nodes: [{ id: 'a', type: 'input', data: { label: 'A' } }],
      };
      const document =
        kind === 'change'
          ? run.document
          : ({
              format: 1,
              kind,
              slug: 'same',
              title: 'T',
              model: 'm',
              input: '',
              variables: {},
              workflow,
              workflows: {},
            } as const);
      return store.start(
        { ...run, document } as Parameters<Store['start']>[0],
        levelsOf(id).map((level) => ({ ...level, limitNanoUsd: null })),
      );
    };
    await start('run_1', 'workflow');
    await start('run_2', 'workflow');
    await start('run_3', 'change');
    expect(await codeFrom(start('run_4', 'change'))).toBe('RUN_EXISTS');
    expect(await store.liveRunOf('prj', 'same')).toBe('run_3');
    const claim = await store.claim('run_1');
    const node = { type: 'node.started', node: 'a', kind: 'input', title: 'A', attempt: 1 } as const;
    await store.commit(claim, { events: [node] });
    const tasks = async () => (await store.run('run_1')).run.tasks;
    expect(await tasks()).toMatchObject([{ id: 'a', title: 'A', status: 'running' }]);
    const outcome = { status: 'done', output: '', branch: null, error: null, attempts: 1 } as const;
    const finished = { type: 'node.finished', node: 'a', outcome, durationMs: 1 } as const;
    await store.commit(claim, { steps: [stepRow('a', { kind: 'node', input: 'x' })], events: [finished] });
    expect(await tasks()).toMatchObject([{ id: 'a', status: 'done' }]);
    expect((await store.events('run_1', 0, 10)).map(({ body }) => body)).toEqual([node, finished]);
  });
});
