import { describe, expect, it } from 'vitest';
import { CANCELLED } from './execute.ts';
import { echo, lastText, openWorkflowBench } from '../../../../test/support/workflow-bench.ts';

const template = (id: string, text = `${id}({{input}})`) =>
  ({ id, type: 'template', data: { template: text } }) as const;
const agent = (id: string, over: object = {}) => ({ id, type: 'agent', data: { systemPrompt: id }, ...over }) as const;
const edge = (source: string, target: string, branch?: 'then' | 'else' | 'error') =>
  ({ source, target, ...(branch === undefined ? {} : { branch }) }) as const;

describe('a workflow that does not go as planned', () => {
  it('fails with the first node that fails, after what is at work has finished its step', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        nodes: [
          { id: 'bad', type: 'tool', data: { server: 'filesystem', tool: 'look', arguments: { x: 'fail' } } },
          agent('good'),
          agent('after-good'),
          template('after-bad'),
        ],
        edges: [edge('bad', 'after-bad'), edge('good', 'after-good')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('failed');
    const { run, ledger } = await bench.detail(runId);
    expect(run.reason).toMatchObject({ code: 'NODE_FAILED', details: { node: 'bad' } });
    expect(run.reason?.hint).toContain(runId);
    expect(run.tasks.map(({ status }) => status)).toEqual(['failed', expect.any(String), 'open', 'open']);
    expect(ledger.filter(({ outcome }) => outcome !== 'known')).toEqual([]);
  });

  it('goes on after an error as the node says: with nothing, or along its branch with the message', async () => {
    await using bench = await openWorkflowBench();
    const bad = { type: 'tool', data: { server: 'filesystem', tool: 'look', arguments: { x: 'fail' } } } as const;
    const runId = await bench.start({
      nodes: [
        { id: 'c', ...bad, onError: 'continue' },
        template('c2'),
        { id: 'b', ...bad, onError: 'branch' },
        template('b2'),
        template('rescue'),
      ],
      edges: [edge('c', 'c2'), edge('b', 'b2'), edge('b', 'rescue', 'error')],
    });
    expect(await bench.drive(runId)).toBe('completed');
    const { run } = await bench.detail(runId);
    expect(run.tasks.map(({ status }) => status)).toEqual(['failed', 'done', 'failed', 'skipped', 'done']);
    expect(await bench.outputs(runId)).toMatchObject({ c2: 'c2()', rescue: 'rescue(look {"x":"fail"})' });
  });

  it('tries a node again as often as it says, and keeps each attempt', async () => {
    let asked = 0;
    await using bench = await openWorkflowBench({
      script: (request, nth) => ((asked += 1) < 3 ? { content: [], stopReason: 'refusal' } : echo(request, nth)),
    });
    const retry = { attempts: 3, delayMs: 1 };
    const runId = await bench.start({ nodes: [agent('a', { retry })] }, { input: 'x' });
    expect(await bench.drive(runId)).toBe('completed');
    const { steps } = await bench.detail(runId);
    expect(steps.map(({ key }) => key)).toEqual([
      'a/try[0]/turn[0]',
      'a/try[0]',
      'a/try[0]/delay',
      'a/try[1]/turn[0]',
      'a/try[1]',
      'a/try[1]/delay',
      'a/try[2]/turn[0]',
      'a',
    ]);
    expect(steps.at(-1)).toMatchObject({ output: { output: '<a:x>', attempts: 3 } });
  });

  it('[NODE_TIMEOUT] ends an attempt after its time, settles its money, and nothing else', async () => {
    await using bench = await openWorkflowBench({
      script: (request, nth) => (request.system === 'hangs' ? 'hang' : echo(request, nth)),
    });
    const runId = await bench.start(
      {
        nodes: [agent('hangs', { timeoutMs: 1_500, onError: 'branch' }), agent('other'), template('late')],
        edges: [edge('hangs', 'late', 'error')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['late']).toBe('late(The node was not done after 1500 ms)');
    const { ledger, run, steps } = await bench.detail(runId);
    expect(steps.find(({ key }) => key === 'hangs')).toMatchObject({ output: { error: { code: 'NODE_TIMEOUT' } } });
    expect(ledger.map(({ outcome }) => outcome).toSorted()).toEqual(['known', 'unknown']);
    expect(run.money.held.nanoUsd).toBe(0);
  });

  it('cancelled: the running call is ended, its money settled, and nothing begins any more', async () => {
    await using bench = await openWorkflowBench({ script: () => 'hang' });
    const controller = new AbortController();
    const runId = await bench.start(
      { nodes: [agent('a'), agent('b'), template('c')], edges: [edge('a', 'c')] },
      { input: 'x' },
    );
    const driven = bench.drive(runId, { signal: controller.signal });
    await expect.poll(() => bench.model.calls.length).toBe(2);
    controller.abort(CANCELLED);
    expect(await driven).toBe('cancelled');
    const { run, ledger } = await bench.detail(runId);
    expect([run.status, run.money.held.nanoUsd]).toEqual(['cancelled', 0]);
    expect(ledger.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
  });

  it('interrupted anywhere it goes on where it was: no step is done twice', async () => {
    await using bench = await openWorkflowBench();
    const controller = new AbortController();
    const nodes = [agent('a'), agent('b'), agent('c'), template('d')];
    const edges = [edge('a', 'b'), edge('b', 'c'), edge('c', 'd')];
    const runId = await bench.start({ nodes, edges }, { input: 'x' });
    const status = await bench.drive(runId, {
      signal: controller.signal,
      onEvents: (events) => {
        if (events.some(({ body }) => body.type === 'node.finished' && body.node === 'b')) controller.abort('stopping');
      },
    });
    expect(status).toBe('interrupted');
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.model.calls.map(({ request }) => request.system)).toEqual(['a', 'b', 'c']);
    expect((await bench.outputs(runId))['d']).toBe('d(<c:<b:<a:x>>>)');
    expect(await bench.store.checkInvariants()).toEqual([]);
  });

  it('pauses where the money ends, in every branch, and goes on after a raise', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      { nodes: [agent('a'), agent('b')], edges: [edge('a', 'b')] },
      { input: 'x', limitNanoUsd: 1000 },
    );
    expect(await bench.drive(runId)).toBe('paused');
    expect((await bench.detail(runId)).run.reason).toMatchObject({ code: 'BUDGET_EXHAUSTED' });
    await bench.store.setLimit({
      level: { scope: 'run', id: runId },
      period: 'lifetime',
      limitNanoUsd: 1_000_000_000,
      by: 'Ada',
    });
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.model.calls).toHaveLength(2);
  });

  it('holds no more than its share of slots', async () => {
    let now = 0;
    let most = 0;
    await using bench = await openWorkflowBench({
      wrap: (model) => ({
        source: 'fake',
        async *stream(...args) {
          most = Math.max(most, (now += 1));
          try {
            await new Promise((resolve) => setTimeout(resolve, 5));
            yield* model.stream(...args);
          } finally {
            now -= 1;
          }
        },
      }),
    });
    const runId = await bench.start(
      { concurrency: 3, nodes: Array.from({ length: 12 }, (_, n) => agent(`a${n}`)) },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect(most).toBe(3);
    expect(bench.model.calls.map(({ request }) => lastText(request))).toHaveLength(12);
  });
});
