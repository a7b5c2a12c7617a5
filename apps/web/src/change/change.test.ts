import { toMoney, type ChangeDetail, type Plan, type Task } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { run } from '../run/run.testing.ts';
import { toLane } from './lane-model.ts';
import { toTaskGroups } from './verification.ts';

const task = (id: string, done: boolean, group?: string): Task => ({
  id,
  title: id,
  done,
  line: 1,
  notes: [],
  checks: [],
  unreadableChecks: [],
  ...(group === undefined ? {} : { group }),
});
const entry = (id: string, status: 'open' | 'running' | 'done' | 'failed', verification: 'checked' | null = null) => ({
  id,
  title: id,
  status,
  verification,
  costNanoUsd: 4,
});

describe('toTaskGroups', () => {
  test('a tick says whose it is: checked by a run, or made by hand', () => {
    const groups = toTaskGroups(
      [task('1.1', true, 'A'), task('1.2', true, 'A'), task('2.1', false, 'B'), task('2.2', false, 'B')],
      [
        run({
          id: 'new',
          status: 'failed',
          tasks: [entry('1.1', 'done', 'checked'), entry('2.1', 'failed'), entry('2.2', 'open')],
        }),
      ],
    );
    expect(groups.map((group) => group.title)).toEqual(['A', 'B']);
    expect(groups.flatMap((group) => group.lines.map((line) => [line.task.id, line.state, line.runId]))).toEqual([
      ['1.1', 'checked', 'new'],
      ['1.2', 'by-hand', undefined],
      ['2.1', 'failed', 'new'],
      ['2.2', 'open', undefined],
    ]);
  });
  test('a task counts as running only while its run does', () => {
    const state = (status: 'running' | 'interrupted') =>
      toTaskGroups([task('1', false)], [run({ status, tasks: [entry('1', 'running')] })])[0]?.lines[0]?.state;
    expect(state('running')).toBe('running');
    expect(state('interrupted')).toBe('open');
  });
});

describe('toLane', () => {
  const change = (done: number): ChangeDetail => ({
    slug: 's-one',
    title: '',
    status: 'draft',
    createdAt: '',
    updatedAt: '',
    tasks: { done, total: 2 },
    paths: { root: '', proposal: '', tasks: '' },
    proposal: '',
    taskList: [],
    deltas: [],
  });
  const states = (input: Partial<Parameters<typeof toLane>[0]>) =>
    toLane({ change: change(0), plan: undefined, lastRun: undefined, validation: undefined, ...input }).map(
      (station) => station.state,
    );
  test('open → plan → run → validate → archive', () => {
    expect(states({})).toEqual(['done', 'next', 'next', 'todo', 'todo']);
    expect(states({ lastRun: run() })).toEqual(['done', 'done', 'now', 'todo', 'todo']);
    expect(states({ lastRun: run({ status: 'paused' }) })[2]).toBe('attention');
    const issue = { level: 'ERROR' as const, code: 'X', path: '', message: '' };
    expect(states({ change: change(2), validation: { slug: '', valid: false, issues: [issue] } })).toEqual([
      'done',
      'next',
      'done',
      'attention',
      'todo',
    ]);
    expect(
      states({
        change: change(2),
        lastRun: run({ status: 'completed' }),
        validation: { slug: '', valid: true, issues: [] },
      }),
    ).toEqual(['done', 'done', 'done', 'done', 'next']);
  });
  test('the expected price stands at its station', () => {
    const plan = { expected: toMoney(12_300_000), tasks: [{}] } as unknown as Plan; // only what the lane reads
    expect(toLane({ change: change(0), plan, lastRun: undefined, validation: undefined })[1]?.note).toBe(
      '$0.0123 expected',
    );
  });
});
