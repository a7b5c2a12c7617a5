import { toMoney, type ChangeSummary } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { run } from '../run/run.testing.ts';
import { countViews, filterRows, toRows } from './rows.ts';
import { slugProblem, suggestSlug } from './slug.ts';

const change = (slug: string, over: Partial<ChangeSummary> = {}): ChangeSummary => ({
  slug,
  title: `Title of ${slug}`,
  status: 'draft',
  createdAt: '2026-11-21T10:00:00.000Z',
  updatedAt: '2026-11-21T10:00:00.000Z',
  tasks: { done: 0, total: 2 },
  paths: { root: '', proposal: '', tasks: '' },
  ...over,
});
const spent = (nanoUsd: number) => ({ limit: null, spent: toMoney(nanoUsd), held: toMoney(0) });

describe('toRows', () => {
  const rows = toRows(
    [
      change('a-one'),
      change('b-two', { tasks: { done: 2, total: 2 }, owner: 'Maria' }),
      change('c-old', { status: 'archived' }),
    ],
    [
      run({ id: 'r3', slug: 'a-one', status: 'paused', money: spent(5) }),
      run({ id: 'r2', slug: 'a-one', simulated: true, money: spent(7), status: 'completed' }),
      run({ id: 'r1', slug: 'a-one', money: spent(1), status: 'completed' }),
      run({ id: 'r0', slug: 'c-old', status: 'failed' }),
    ],
  );
  test('[X7.marked] simulated money is counted apart, and the newest run is the last one', () => {
    expect(rows[0]).toMatchObject({
      lastRun: { id: 'r3' },
      billedNanoUsd: 6,
      simulatedNanoUsd: 7,
      attention: true,
      ready: false,
    });
  });
  test('views: what waits for a person, what can be archived; archived changes are in neither', () => {
    expect(countViews(rows)).toEqual({ active: 2, attention: 1, ready: 1, all: 3 });
  });
  test('the search finds every word in title, slug or owner', () => {
    expect(filterRows(rows, 'all', 'two maria').map((row) => row.change.slug)).toEqual(['b-two']);
    expect(filterRows(rows, 'active', 'old')).toEqual([]);
  });
});

describe('slugs', () => {
  test.each([
    ['Let users export CSV!', 'let-users-export-csv'],
    ['  Größe & Übermaß ', 'grosse-ubermass'],
    ['x'.repeat(80), 'x'.repeat(64)],
    ['日本', ''],
  ])('%s becomes %s', (title, slug) => expect(suggestSlug(title)).toBe(slug));
  test('what is wrong with one is said in words', () => {
    expect(slugProblem('ab')).toContain('three');
    expect(slugProblem('A-bad')).toContain('Small letters');
    expect(slugProblem('x'.repeat(65))).toContain('64');
    expect(slugProblem('good-one')).toBeUndefined();
  });
});
