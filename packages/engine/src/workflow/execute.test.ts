import { WorkflowDocument } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { openWorkflowBench } from '../../../../test/support/workflow-bench.ts';

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
});
