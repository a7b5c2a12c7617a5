import { WorkflowDocument } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { CANCELLED } from './execute.ts';
import { echo, lastText, openWorkflowBench } from '../../../../test/support/workflow-bench.ts';

const template = (id: string, text = `${id}({{input}})`) =>
  ({ id, type: 'template', data: { template: text } }) as const;
const agent = (id: string, over: object = {}) => ({ id, type: 'agent', data: { systemPrompt: id }, ...over }) as const;
const edge = (source: string, target: string, branch?: 'then' | 'else' | 'error') =>
  ({ source, target, ...(branch === undefined ? {} : { branch }) }) as const;

describe('a workflow', () => {
  it("[E8.document E8.history] runs seed 003's document with its input, and keeps what each step did", async () => {
    await using bench = await openWorkflowBench({ script: () => say('I am well.') });
    const runId = await bench.start(
      {
        nodes: [
          {
            id: 'agent-1',
            type: 'agent',
            data: {
              label: 'Assistant',
              model: 'claude-sonnet-4-5',
              systemPrompt: 'You are a helpful assistant.',
              temperature: 0.7,
              maxTokens: 1024,
            },
          },
        ],
        edges: [],
      },
      { input: 'Hello, how are you?' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.model.calls.map(({ request }) => request)).toMatchObject([
      {
        model: 'claude-sonnet-4-5',
        system: 'You are a helpful assistant.',
        messages: [{ role: 'user', content: 'Hello, how are you?' }],
        options: { temperature: 0.7 },
      },
    ]);
    const { run, steps } = await bench.detail(runId);
    expect(run).toMatchObject({
      status: 'completed',
      kind: 'workflow',
      tasks: [{ title: 'Assistant', status: 'done' }],
    });
    expect(steps.map(({ key, kind }) => [key, kind])).toEqual([
      ['agent-1/try[0]/turn[0]', 'model'],
      ['agent-1', 'node'],
    ]);
    expect(steps[0]).toMatchObject({
      output: { content: [{ text: 'I am well.' }] },
      usage: { outputTokens: expect.any(Number) as number },
    });
    expect(steps[0]?.costNanoUsd).toBe(run.money.spent.nanoUsd);
    expect(steps[1]).toMatchObject({ input: 'Hello, how are you?', output: { output: 'I am well.', attempts: 1 } });
  });

  it('[E8.inputs] joins inputs by a blank line in the order of the edges, whoever is done first', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        nodes: [{ id: 'in', type: 'input' }, agent('slow'), template('fast'), template('last', '{{input}}')],
        edges: [edge('in', 'slow'), edge('in', 'fast'), edge('slow', 'last'), edge('fast', 'last')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['last']).toBe('<slow:x>\n\nfast(x)');
  });

  it('[E8.variables] fills variables and nodes before it in one pass, and leaves what it does not know', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        variables: { who: 'Ada', evil: '{{who}}' },
        nodes: [
          template('a', 'A'),
          template('b', '{{who}} {{evil}} {{a}} {{c}} {{constructor}} {{none}}'),
          template('c'),
        ],
        edges: [edge('a', 'b')],
      },
      { variables: { who: '{{evil}}$&' } },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['b']).toBe('{{evil}}$& {{who}} A {{c}} {{constructor}} {{none}}');
  });

  it('takes one branch of a condition, skips the other and what hangs on it alone, and joins again', async () => {
    await using bench = await openWorkflowBench();
    const document = {
      nodes: [
        { id: 'long', type: 'condition', data: { expression: 'length(input) > 3' } } as const,
        template('yes'),
        template('no'),
        template('after-no'),
        template('join', '{{input}}!'),
      ],
      edges: [
        edge('long', 'yes', 'then'),
        { source: 'long', target: 'no', sourceHandle: 'else' },
        edge('no', 'after-no'),
        edge('yes', 'join'),
        edge('after-no', 'join'),
      ],
    };
    const runId = await bench.start(document, { input: 'abcd' });
    expect(await bench.drive(runId)).toBe('completed');
    const { run } = await bench.detail(runId);
    expect(run.tasks.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'long done',
      'yes done',
      'no skipped',
      'after-no skipped',
      'join done',
    ]);
    expect((await bench.outputs(runId))['join']).toBe('yes(abcd)!');
    const other = await bench.start(document, { input: 'ab' });
    await bench.drive(other);
    expect((await bench.outputs(other))['join']).toBe('after-no(no(ab))!');
  });

  it('runs branches side by side: both models are asked before either has answered', async () => {
    let both: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (both = resolve));
    let asked = 0;
    await using bench = await openWorkflowBench({
      wrap: (model) => ({
        source: 'fake',
        async *stream(...args) {
          if ((asked += 1) === 2) both();
          await arrived;
          yield* model.stream(...args);
        },
      }),
    });
    const runId = await bench.start({ nodes: [agent('a'), agent('b')] }, { input: 'x' });
    expect(await bench.drive(runId)).toBe('completed');
  });

  it('calls a tool with filled arguments, and records its intent', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        nodes: [
          {
            id: 't',
            type: 'tool',
            data: { server: 'filesystem', tool: 'look', arguments: { a: ['{{input}}'], n: 1 } },
          },
        ],
      },
      { input: 'here' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect(bench.tools.calls).toEqual([
      { tool: 'look', input: { a: ['here'], n: 1 }, idempotencyKey: `${runId}:t/try[0]/tool[0]` },
    ]);
    expect((await bench.outputs(runId))['t']).toBe('look {"a":["here"],"n":1}');
  });

  it('runs the body of a map for each item, in places of their own, and joins what they give in order', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(
      {
        nodes: [
          { id: 'all', type: 'map', data: { nodes: [agent('each'), template('mark')], edges: [edge('each', 'mark')] } },
          template('end', '{{all}}'),
        ],
        edges: [edge('all', 'end')],
      },
      { input: 'one\n\ntwo\nthree' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    const outputs = await bench.outputs(runId);
    expect(outputs['end']).toBe('mark(<each:one>)\n\nmark(<each:two>)\n\nmark(<each:three>)');
    expect(Object.keys(outputs)).toContain('all/map[2]/mark');
  });

  it('runs a workflow inside of another with the variables that it is handed, and no others', async () => {
    await using bench = await openWorkflowBench();
    const inner = WorkflowDocument.parse({
      variables: { own: 'O' },
      nodes: [template('t', '{{own}}{{given}}{{outer}}{{input}}')],
    });
    const runId = await bench.start(
      {
        variables: { outer: 'x' },
        nodes: [{ id: 'sub', type: 'workflow', data: { workflow: 'inner', variables: { given: '[{{input}}]' } } }],
      },
      { input: 'i', workflows: { inner } },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['sub']).toBe('O[i]{{outer}}i');
  });

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
        nodes: [agent('hangs', { timeoutMs: 50, onError: 'branch' }), agent('other'), template('late')],
        edges: [edge('hangs', 'late', 'error')],
      },
      { input: 'x' },
    );
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['late']).toBe('late(The node was not done after 50 ms)');
    const { ledger, run } = await bench.detail(runId);
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
