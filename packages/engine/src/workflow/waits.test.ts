import { approvalTopic, codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { ModelCallError } from '../model/port.ts';
import { CANCELLED } from './execute.ts';
import { openWorkflowBench, type WorkflowBench } from '../../../../test/support/workflow-bench.ts';

const edge = (source: string, target: string, branch?: 'error') =>
  ({ source, target, ...(branch === undefined ? {} : { branch }) }) as const;
const template = (id: string) => ({ id, type: 'template', data: { template: `${id}({{input}})` } }) as const;
const ask = (id: string, over: object = {}, data: object = {}) =>
  ({ id, type: 'approval', data: { message: 'Publish {{input}}?', ...data }, ...over }) as const;

const pending = async (bench: WorkflowBench) =>
  (await bench.store.approvals({ projectId: 'default', pending: true, limit: 100, offset: 0 })).items;

const decide = async (bench: WorkflowBench, decision: 'approve' | 'deny', over: object = {}) => {
  const [approval] = await pending(bench);
  if (approval === undefined) throw new Error('nothing is asked');
  return bench.store.decide(approval.id, { decision, digest: approval.digest, by: 'Ada', ...over });
};

describe('a run that waits', () => {
  const asking = { nodes: [template('a'), ask('q'), template('b')], edges: [edge('a', 'q'), edge('q', 'b')] };

  it('[X2.approvals] is put away until somebody decides, and goes on with what was approved', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(asking, { input: 'x' });
    expect(await bench.drive(runId)).toBe('waiting');
    const { run, waits } = await bench.detail(runId);
    expect([run.status, run.tasks.map(({ status }) => status)]).toEqual(['waiting', ['done', 'waiting', 'open']]);
    const [approval] = await pending(bench);
    expect(approval).toMatchObject({ step: 'q/try[0]/ask', request: { message: 'Publish a(x)?', text: 'a(x)' } });
    expect(waits.map(({ topic }) => topic)).toEqual([approvalTopic(approval?.id ?? '')]);
    await decide(bench, 'approve');
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['b']).toBe('b(a(x))');
    expect(await bench.store.checkInvariants()).toEqual([]);
  });

  it('goes on with what the text was edited to', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(asking, { input: 'x' });
    await bench.drive(runId);
    await decide(bench, 'approve', { edited: 'better' });
    await bench.drive(runId);
    expect((await bench.outputs(runId))['b']).toBe('b(better)');
  });

  it('[APPROVAL_DENIED] a denial is an error of the node, with who and why, and is not asked again', async () => {
    await using bench = await openWorkflowBench();
    const retry = { attempts: 5, delayMs: 0 };
    const runId = await bench.start(
      { nodes: [ask('q', { onError: 'branch', retry }), template('no')], edges: [edge('q', 'no', 'error')] },
      { input: 'x' },
    );
    await bench.drive(runId);
    await decide(bench, 'deny', { reason: 'too early' });
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['no']).toBe('no(Ada denied it: too early)');
    const { steps } = await bench.detail(runId);
    expect(steps.find(({ key }) => key === 'q')).toMatchObject({ output: { error: { code: 'APPROVAL_DENIED' } } });
  });

  it('an answer that comes while other branches are at work wakes the run that is driven', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    await using bench = await openWorkflowBench({
      wrap: (model) => ({
        source: 'fake',
        async *stream(...args) {
          await gate;
          yield* model.stream(...args);
        },
      }),
    });
    const runId = await bench.start(
      { nodes: [ask('q'), template('b'), { id: 'busy', type: 'agent' }], edges: [edge('q', 'b')] },
      { input: 'x' },
    );
    let wake: () => void = () => undefined;
    const driven = bench.drive(runId, { onOpen: (handle) => (wake = handle.wake) });
    await expect.poll(async () => (await pending(bench)).length).toBe(1);
    await decide(bench, 'approve');
    wake();
    await expect.poll(async () => (await bench.outputs(runId))['b']).toBe('b(x)');
    open();
    expect(await driven).toBe('completed');
  });

  it('an answer that comes between the question and the waiting is not lost', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(asking, { input: 'x' });
    // Decided in the very last moment, and nobody tells the driver: the store refuses the wait.
    const store: WorkflowBench['store'] = {
      ...bench.store,
      commit: async (claim, unit) => {
        if (unit.state?.status === 'waiting') await decide(bench, 'approve');
        return bench.store.commit(claim, unit);
      },
    };
    expect(await bench.drive(runId, { store })).toBe('completed');
  });

  it('[APPROVAL_EXPIRED] a question that nobody answers in time expires, however often the process ends', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        nodes: [ask('q', { onError: 'branch' }, { expiresMs: 2_400 }), template('no')],
        edges: [edge('q', 'no', 'error')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('waiting');
    const { next } = await bench.store.due();
    expect(next).not.toBeNull();
    // Too early: it waits again, for the same time.
    expect(await bench.drive(runId)).toBe('waiting');
    expect((await bench.store.due()).next).toBe(next);
    await expect.poll(async () => (await bench.store.due()).ready, { timeout: 5_000 }).toEqual([runId]);
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['no']).toBe('no(Nobody decided in time)');
    expect(await pending(bench)).toEqual([]);
  });

  it('[D11] a delay ends when its time has come, counted from when it was first reached', async () => {
    let shift = 0;
    const { systemClock } = await import('@cloutagent/kit');
    const clock = { ...systemClock, now: () => systemClock.now() + shift };
    await using bench = await openWorkflowBench({ clock });
    const runId = await bench.start(
      { nodes: [{ id: 'd', type: 'delay', data: { delayMs: 86_400_000 } }, template('b')], edges: [edge('d', 'b')] },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('waiting');
    shift = -3_600_000;
    expect(await bench.drive(runId)).toBe('waiting');
    shift = 86_400_000 + 1_000;
    expect((await bench.store.due()).ready).toEqual([runId]);
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.detail(runId)).steps.filter(({ key }) => key === 'd/try[0]/due')).toHaveLength(1);
  });

  it('[D7] a model that asks for an hour gets it, and the run is put away meanwhile', async () => {
    let shift = 0;
    const { systemClock } = await import('@cloutagent/kit');
    const clock = { ...systemClock, now: () => systemClock.now() + shift };
    await using bench = await openWorkflowBench({
      clock,
      script: (_request, nth) => {
        if (nth > 0) return say('late');
        throw new ModelCallError('MODEL_RATE_LIMITED', 'Slowly', {
          billing: 'none',
          retryable: true,
          retryAfterMs: 3_600_000,
        });
      },
    });
    const runId = await bench.start({ nodes: [{ id: 'a', type: 'agent' }] }, { input: 'x' });
    const from = clock.now();
    expect(await bench.drive(runId)).toBe('waiting');
    const { run, waits } = await bench.detail(runId);
    expect(run.money).toMatchObject({ spent: { nanoUsd: 0 }, held: { nanoUsd: 0 } });
    expect(waits).toMatchObject([{ key: 'a/try[0]/turn[0]/rest[0]/wait', topic: null }]);
    expect((waits[0]?.until ?? 0) - from).toBeGreaterThanOrEqual(3_600_000);
    // Woken too early it asks nothing.
    expect(await bench.drive(runId)).toBe('waiting');
    expect(bench.model.calls).toHaveLength(1);
    shift = 3_600_000 + 60_000;
    expect((await bench.store.due()).ready).toEqual([runId]);
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.model.calls).toHaveLength(2);
    expect(await bench.store.checkInvariants()).toEqual([]);
  });

  it('a retry that waits long puts the run away too', async () => {
    let asked = 0;
    await using bench = await openWorkflowBench({
      script: () => ({
        content: [{ type: 'text', text: 'ok' }],
        stopReason: (asked += 1) === 1 ? 'refusal' : 'end_turn',
      }),
    });
    const retry = { attempts: 2, delayMs: 2_300, factor: 1 };
    const runId = await bench.start({ nodes: [{ id: 'a', type: 'agent', retry }] }, { input: 'x' });
    expect(await bench.drive(runId)).toBe('waiting');
    await expect.poll(async () => (await bench.store.due()).ready, { timeout: 5_000 }).toEqual([runId]);
    expect(await bench.drive(runId)).toBe('completed');
    expect(asked).toBe(2);
  });

  it('a branch that fails lets go of what its scope waits for', async () => {
    await using bench = await openWorkflowBench();
    const bad = {
      id: 'bad',
      type: 'tool',
      data: { server: 'filesystem', tool: 'look', arguments: { x: 'fail' } },
    } as const;
    const runId = await bench.start(
      { nodes: [ask('q'), template('t'), bad], edges: [edge('t', 'bad')] },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('failed');
    expect(await pending(bench)).toEqual([]);
    expect(await bench.store.checkInvariants()).toEqual([]);
  });

  it('[RUN_CANCELLING] a run that waits is cancelled, and its question with it', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(asking, { input: 'x' });
    await bench.drive(runId);
    await bench.store.requestCancel(runId);
    const controller = new AbortController();
    controller.abort(CANCELLED);
    expect(await bench.drive(runId, { signal: controller.signal })).toBe('cancelled');
    expect(await pending(bench)).toEqual([]);
    // Nobody tells a driver of a cancellation that another process promised: its next state is refused.
    const other = await bench.start(asking, { input: 'x' });
    await bench.drive(other);
    await bench.store.requestCancel(other);
    expect(await bench.drive(other)).toBe('cancelled');
  });
});

describe('a pause', () => {
  it('lets the steps that are being done finish, begins none, and the run goes on from there', async () => {
    let pause: () => void = () => undefined;
    await using bench = await openWorkflowBench({
      script: () => {
        pause();
        return { content: [{ type: 'text', text: 'ok' }], stopReason: 'end_turn' };
      },
    });
    const runId = await bench.start(
      {
        nodes: [
          { id: 'a', type: 'agent' },
          { id: 'b', type: 'agent' },
        ],
        edges: [edge('a', 'b')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId, { onOpen: (handle) => (pause = handle.pause) })).toBe('paused');
    const { run, ledger } = await bench.detail(runId);
    expect(run.reason).toMatchObject({ code: 'PAUSED', hint: `Go on: clout runs resume ${runId}` });
    expect(ledger.map(({ outcome }) => outcome)).toEqual(['known']);
    pause = () => undefined;
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.model.calls).toHaveLength(2);
  });

  it('is not written where a resume came before it', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start({ nodes: [template('a')] });
    const status = await bench.drive(runId, { onOpen: ({ pause }) => pause(), keepGoing: () => true });
    expect([status, (await bench.detail(runId)).run.status]).toEqual(['interrupted', 'running']);
    expect(await bench.drive(runId)).toBe('completed');
  });
});

describe('drivers of one run', () => {
  it('[D4 X2.fence] one that was replaced writes nothing any more', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let first = true;
    await using bench = await openWorkflowBench({
      wrap: (model) => ({
        source: 'fake',
        async *stream(...args) {
          if (first) {
            first = false;
            await gate;
          }
          yield* model.stream(...args);
        },
      }),
    });
    const runId = await bench.start({ nodes: [{ id: 'a', type: 'agent' }] }, { input: 'x' });
    const stale = bench.drive(runId).catch((error: unknown) => codeOf(error));
    await expect.poll(async () => (await bench.detail(runId)).ledger.length).toBe(1);
    expect(await bench.drive(runId)).toBe('completed');
    open();
    expect(await stale).toBe('FENCED');
    const { steps, ledger } = await bench.detail(runId);
    expect(steps.filter(({ kind }) => kind === 'model')).toHaveLength(1);
    expect(ledger.map(({ outcome }) => outcome)).toEqual(['unknown', 'known']);
  });
});
