import { toMoney } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { flatten, moveInTree } from './flatten.ts';
import { applyFrames, EMPTY_LIVE } from './live.ts';
import { resumeNeeds } from './resume-model.ts';
import { defaultStep, elapsedOf, toCurrentRun } from './run-view.ts';
import { detail, frame, row, run, text } from './run.testing.ts';
import { inputParts, outputParts } from './step-view.ts';
import { toTimeline } from './timeline.ts';
import { findNode, toTree } from './tree.ts';

const TURN = 'task[1.1]/try[0]/turn[0]';
const TOOL = `${TURN}/tool[0]`;
const tree = toTree(
  detail({
    steps: [
      row(TURN, { startedAt: 1_000, endedAt: 2_000 }),
      row(TOOL, { kind: 'tool', startedAt: 2_000, endedAt: 3_000 }),
    ],
  }),
  EMPTY_LIVE,
  true,
);

describe('flatten and moveInTree', () => {
  test('[X9.pages] arrow keys walk, open and close the tree', () => {
    const rows = flatten(tree, (node) => node.key !== TURN);
    expect(rows.map((one) => one.node.key)).toEqual(['task[1.1]', 'task[1.1]/try[0]', TURN, 'task[1.2]']);
    expect(rows[2]).toMatchObject({ level: 3, position: 1, setSize: 1, expanded: false, parent: 'task[1.1]/try[0]' });
    expect(moveInTree(rows, TURN, 'ArrowRight')).toEqual({ expand: TURN });
    expect(moveInTree(rows, TURN, 'ArrowLeft')).toEqual({ select: 'task[1.1]/try[0]' });
    expect(moveInTree(rows, 'task[1.1]', 'ArrowLeft')).toEqual({ collapse: 'task[1.1]' });
    expect(moveInTree(rows, 'task[1.1]', 'ArrowDown')).toEqual({ select: 'task[1.1]/try[0]' });
    expect(moveInTree(rows, 'task[1.1]', 'k')).toEqual({ select: 'task[1.1]' });
    expect(moveInTree(rows, TURN, 'End')).toEqual({ select: 'task[1.2]' });
    expect(moveInTree(rows, TURN, 'x')).toBeUndefined();
  });
});

describe('toTimeline', () => {
  test('bars lie one after another, and waiting takes no room', () => {
    const late = toTree(
      detail({
        steps: [
          row(TURN, { startedAt: 0, endedAt: 2_000 }),
          row('task[1.2]/try[0]/turn[0]', { startedAt: 9_000_000, endedAt: 9_001_000 }),
        ],
      }),
      EMPTY_LIVE,
      false,
    );
    const bar = toTimeline(late, 0);
    const [first, second] = [findNode(late, TURN), findNode(late, 'task[1.2]')];
    expect(first === undefined ? null : bar(first)).toEqual({ left: 0, width: 0.5 });
    expect(second === undefined ? null : bar(second)).toMatchObject({ left: 0.75, width: 0.25 });
  });

  test('what has not begun has no bar', () => {
    const waiting = tree[1];
    expect(waiting === undefined ? null : toTimeline(tree, 0)(waiting)).toBeUndefined();
  });
});

describe('toCurrentRun', () => {
  const live = applyFrames(EMPTY_LIVE, [frame(1, { type: 'run.state', status: 'paused', reason: null })]);
  test('the stream counts where it knows more than what was read, else what was read', () => {
    expect(toCurrentRun(detail({ lastSeq: 0 }), live).status).toBe('paused');
    expect(toCurrentRun(detail({ lastSeq: 1, run: run({ status: 'interrupted' }) }), live).status).toBe('interrupted');
  });
  test('time runs while the run does, and stands when it waits', () => {
    const start = Date.parse(run().createdAt);
    expect(elapsedOf(run(), start + 5_000)).toBe(5_000);
    expect(elapsedOf(run({ status: 'paused' }), start + 99_000)).toBe(10_000);
  });
});

describe('defaultStep', () => {
  test('follows what goes on, else shows what went wrong, else the last that was done', () => {
    expect(defaultStep(tree, TOOL, true)).toBe(TOOL);
    expect(defaultStep(tree, 'gone', true)).toBe('task[1.1]');
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'tool.started', step: TOOL, server: 's', tool: 't', input: {} }),
    ]);
    expect(defaultStep(toTree(detail(), live, false), null, false)).toBe(TOOL);
  });
});

describe('step parts', () => {
  test('an answer is shown block by block, with the arguments of the tools it calls', () => {
    const output = {
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', name: 'mcp__fs__read', input: { path: 'a' } },
        { type: 'new' },
      ],
    };
    const node = findNode(toTree(detail({ steps: [row(TURN, { output })] }), EMPTY_LIVE, true), TURN);
    expect(node === undefined ? [] : outputParts(node)).toMatchObject([
      { kind: 'text', text: 'Hi', streaming: false },
      { kind: 'call', name: 'read', input: { path: 'a' } },
      { kind: 'json', title: 'new' },
    ]);
  });
  test('text streams until its call has a row', () => {
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'model.started', step: TURN, model: 'm', attempt: 1, reserved: toMoney(1) }),
      text(TURN, 'So far'),
    ]);
    const node = findNode(toTree(detail(), live, true), TURN);
    expect(node === undefined ? [] : outputParts(node)).toEqual([
      { kind: 'text', title: 'Text', text: 'So far', streaming: true },
    ]);
  });
  test('arguments are shown while the tool runs', () => {
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'tool.started', step: TOOL, server: 's', tool: 't', input: { path: 'b' } }),
    ]);
    const node = findNode(toTree(detail(), live, true), TOOL);
    expect(node === undefined ? [] : inputParts(node)).toEqual([
      { kind: 'json', title: 'Arguments', value: { path: 'b' } },
    ]);
  });
});

describe('resumeNeeds', () => {
  const paused = (code: string, details: Record<string, unknown>) =>
    resumeNeeds(run({ status: 'paused', reason: { code, message: '', hint: '', details } }));
  test('offers twice the limit, or more where one call alone needs more', () => {
    expect(
      paused('BUDGET_EXHAUSTED', { scope: 'run', spentNanoUsd: 1, heldNanoUsd: 0, neededNanoUsd: 1 }).suggestedUsd,
    ).toBe('2.00');
    expect(
      paused('BUDGET_EXHAUSTED', { scope: 'run', spentNanoUsd: 9e8, heldNanoUsd: 0, neededNanoUsd: 2e9 }).suggestedUsd,
    ).toBe('2.90');
  });
  test('where the price of what is left is known, its ceiling is offered on top of what was spent', () => {
    const short = run({
      status: 'paused',
      reason: { code: 'BUDGET_EXHAUSTED', message: '', hint: '', details: { scope: 'run' } },
    });
    const spent = { ...short, money: { ...short.money, spent: toMoney(500_000_000) } };
    expect(resumeNeeds(spent, 250_000_000).suggestedUsd).toBe('0.75');
  });
  test('a limit of the run cannot help where the project’s budget is used up; a decision is asked for where an effect is unknown', () => {
    expect(paused('BUDGET_EXHAUSTED', { scope: 'project' })).toMatchObject({ budget: false, projectBudget: true });
    expect(paused('EFFECT_UNKNOWN', {})).toMatchObject({ budget: false, decision: true, suggestedUsd: '' });
    expect(resumeNeeds(run({ status: 'interrupted' }))).toMatchObject({ budget: false, decision: false });
  });
});
