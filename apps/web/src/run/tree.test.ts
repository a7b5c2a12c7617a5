import { NO_USAGE, toMoney } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { applyFrames, EMPTY_LIVE } from './live.ts';
import { detail, frame, ledger, row, run } from './run.testing.ts';
import { keyPrefixes, lastSegment } from './step-key.ts';
import { durationOf, findNode, toTree, type StepNode } from './tree.ts';

const TURN = 'task[1.1]/try[0]/turn[0]';
const keys = (nodes: readonly StepNode[]): readonly string[] =>
  nodes.flatMap((node) => [node.key, ...keys(node.children)]);

describe('toTree', () => {
  test('[X9.live-run] task → try → turn → tool, checks after turns, the tick last, numbers as numbers', () => {
    const steps = [
      'task[1.1]/tick',
      'task[1.1]/try[0]/check[0]',
      'task[1.1]/try[0]/turn[10]',
      'task[1.1]/try[0]/turn[2]/tool[0]',
      'task[1.1]',
    ];
    expect(keys(toTree(detail({ steps: steps.map((key) => row(key)) }), EMPTY_LIVE, true))).toEqual([
      'task[1.1]',
      'task[1.1]/try[0]',
      'task[1.1]/try[0]/turn[2]',
      'task[1.1]/try[0]/turn[2]/tool[0]',
      'task[1.1]/try[0]/turn[10]',
      'task[1.1]/try[0]/check[0]',
      'task[1.1]/tick',
      'task[1.2]',
    ]);
  });

  test('the money of a step is what the ledger booked, summed upwards; what is only reserved is not spent', () => {
    const tree = toTree(
      detail({
        steps: [row(TURN, { costNanoUsd: 10 })],
        ledger: [
          ledger(TURN, { id: 'a', outcome: 'unknown', amount: toMoney(50) }),
          ledger(TURN, { id: 'b', attempt: 2 }),
          ledger('task[1.1]/try[0]/turn[1]', { id: 'c', outcome: 'held', amount: toMoney(99) }),
        ],
      }),
      EMPTY_LIVE,
      true,
    );
    expect(tree[0]?.costNanoUsd).toBe(60);
    expect(findNode(tree, 'task[1.1]/try[0]/turn[1]')?.state).toBe('running');
  });

  test('a step without a row runs while the run is driven, and is not finished when nobody drives it', () => {
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'model.started', step: TURN, model: 'm', attempt: 1, reserved: toMoney(1) }),
    ]);
    const driven = findNode(toTree(detail(), live, true), TURN);
    const left = findNode(toTree(detail(), live, false), TURN);
    expect(driven?.state).toBe('running');
    expect(left?.state).toBe('stopped');
    expect(driven === undefined ? null : durationOf(driven, 1_100)).toBe(1_000);
    expect(left === undefined ? 0 : durationOf(left, 1_100)).toBeNull();
    const unknown = toTree(detail({ ledger: [ledger(TURN, { outcome: 'unknown' })] }), live, false);
    expect(findNode(unknown, TURN)?.state).toBe('unknown');
  });

  test('a row tells more than the events before it; a try whose check failed has failed', () => {
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'model.started', step: TURN, model: 'm', attempt: 1, reserved: toMoney(1) }),
      frame(2, {
        type: 'model.finished',
        step: TURN,
        stopReason: 'tool_use',
        text: '',
        usage: NO_USAGE,
        cost: toMoney(3),
      }),
      frame(3, {
        type: 'check.finished',
        step: 'task[1.1]/try[0]/check[0]',
        result: { check: { kind: 'file-exists', path: 'a.txt' }, ok: false, detail: 'no such file' },
      }),
    ]);
    const tree = toTree(
      detail({ steps: [row(TURN, { isError: true, output: { stopReason: 'end_turn' } })] }),
      live,
      true,
    );
    expect(findNode(tree, TURN)).toMatchObject({ state: 'failed', detail: 'end turn', costNanoUsd: 0 });
    expect(findNode(tree, 'task[1.1]/try[0]')?.state).toBe('failed');
    expect(findNode(tree, 'task[1.1]/try[0]/check[0]')?.label).toBe('file a.txt exists');
  });

  test('tools are named without their server, with what they work on', () => {
    const tool = `${TURN}/tool[0]`;
    const of = (name: string) =>
      findNode(
        toTree(detail({ steps: [row(tool, { kind: 'tool', name, input: { path: 'a.ts' } })] }), EMPTY_LIVE, true),
        tool,
      );
    expect(of('filesystem:write_file')).toMatchObject({ label: 'write_file', detail: 'a.ts', kind: 'tool' });
    expect(of('mcp__filesystem__write_file')?.label).toBe('write_file');
  });

  test('the state of a task is its outcome, else the run’s word', () => {
    const tasks = run().tasks.map((task) => ({ ...task, status: 'done' as const }));
    expect(toTree(detail({ run: run({ tasks }) }), EMPTY_LIVE, false)[1]?.state).toBe('ok');
    const outcome = { taskId: '1.2', ticked: false, verification: null, attempts: 3, evidence: [], note: '' };
    const live = applyFrames(EMPTY_LIVE, [frame(1, { type: 'task.finished', outcome })]);
    expect(toTree(detail(), live, true)[1]?.state).toBe('failed');
  });
});

test('a slash inside brackets belongs to the index', () => {
  expect(keyPrefixes('task[#a/b]/tick')).toEqual(['task[#a/b]', 'task[#a/b]/tick']);
  expect(lastSegment('task[#a/b]')).toEqual({ name: 'task', index: '#a/b' });
});

test('[X2.approvals] a workflow is a tree of its nodes: branches at once, waits, attempts, items of a map, what was skipped', () => {
  const tasks = ['left', 'right', 'ask', 'all', 'no'].map((id) => ({
    id,
    title: `The ${id}`,
    status: 'open' as const,
    verification: null,
    costNanoUsd: 0,
  }));
  const started = (seq: number, node: string) =>
    frame(seq, { type: 'node.started', node, kind: 'agent', title: `The ${node}`, attempt: 1 });
  const steps = [
    row('left/try[0]/turn[0]', { kind: 'model', costNanoUsd: 5 }),
    row('left/try[0]', { kind: 'attempt', isError: true }),
    row('ask/try[0]/ask', { kind: 'approval', name: 'Publish?' }),
    row('all/map[1]/each/try[0]/turn[0]', { kind: 'model' }),
    row('all/map[1]/each', { kind: 'node', input: 'x', output: { status: 'done' } }),
    row('no', { kind: 'node', input: null, output: { status: 'skipped' } }),
  ];
  const waits = [{ key: 'ask/try[0]/answer', topic: 'approval:apr_1', until: null }];
  const live = applyFrames(EMPTY_LIVE, [started(1, 'left'), started(2, 'right')]);
  const tree = toTree(detail({ run: run({ kind: 'workflow', tasks }), steps, waits }), live, true);
  expect(tree.map(({ key, kind, state }) => `${key} ${kind} ${state}`)).toEqual([
    'left node running',
    'right node running',
    'ask node asking',
    'all node waiting',
    'no node skipped',
  ]);
  expect(findNode(tree, 'left/try[0]')).toMatchObject({ kind: 'try', state: 'failed', costNanoUsd: 5 });
  expect(findNode(tree, 'ask/try[0]/ask')).toMatchObject({ label: 'Asks: Publish?', state: 'asking' });
  expect(findNode(tree, 'all/map[1]')).toMatchObject({ kind: 'item', label: 'Item 2' });
  expect(findNode(tree, 'all/map[1]/each')).toMatchObject({ kind: 'node', state: 'ok' });
});
