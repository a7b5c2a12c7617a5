import { describe, expect, test } from 'vitest';
import { run } from '../run/run.testing.ts';
import { toChangeSearch, toChangesSearch, toRunSearch } from '../search.ts';
import { filterActions, toActions } from './actions.ts';

const ids = (path: string, status: 'running' | 'paused' | 'completed' = 'running'): readonly string[] =>
  toActions({ path, changes: [], runs: [run({ status })] })
    .filter((action) => action.group === 'Here')
    .map((action) => action.id);

describe('actions', () => {
  test('[X9.pages] every page offers its own actions first, and only those that are possible', () => {
    expect(ids('/')).toEqual([]);
    expect(ids('/changes/add-export')).toContain('archive');
    expect(ids('/runs/run_1')).toEqual(['run-follow', 'run-change', 'run-cancel']);
    expect(ids('/runs/run_1', 'paused')[0]).toBe('run-resume');
    expect(ids('/runs/run_1', 'completed')).not.toContain('run-cancel');
  });
  test('no two actions of a page share their keys', () => {
    for (const path of ['/', '/changes/x', '/runs/run_1', '/costs']) {
      const keys = toActions({ path, changes: [], runs: [run({ status: 'paused' })] }).flatMap(
        (action) => action.keys ?? [],
      );
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
  test('a broken address breaks nothing', () => {
    expect(ids('/changes/%E0%A4%A')).toContain('run');
  });
  test('every word has to be found, in title, note or group', () => {
    const actions = toActions({ path: '/', changes: [], runs: [run({ simulated: true })] });
    expect(filterActions(actions, 'export simulated').map((action) => action.id)).toEqual(['run:run_1']);
    expect(filterActions(actions, 'export nowhere')).toEqual([]);
  });
});

describe('addresses', () => {
  test('keep what is known and drop what is not', () => {
    expect(toChangesSearch({ view: 'ready', q: 'x', panel: 'nope', other: 1 })).toEqual({ view: 'ready', q: 'x' });
    expect(toChangesSearch({ q: 18 })).toEqual({ q: '18' });
    expect(toChangeSearch({ tab: 'price', panel: 'run' })).toEqual({ tab: 'price', panel: 'run' });
    expect(toRunSearch({ step: 'task[1.1]', panel: 'resume' })).toEqual({ step: 'task[1.1]', panel: 'resume' });
  });
});
