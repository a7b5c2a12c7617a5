import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { readChange } from './detail.ts';
import { listChanges } from './list.ts';
import { overlapsOf } from './overlaps.ts';
import { validateChange } from './validate.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const requirements = (count: number): string =>
  `## ADDED Requirements\n${Array.from({ length: count }, (_, index) => `### Requirement: r${index}\nSHALL\n`).join('')}`;

describe('[F12] a change that is too large', () => {
  it.each([
    ['100,000 requirements in one delta', { 'specs/cap/spec.md': requirements(100_000) }],
    [
      'deltas that are too large together',
      Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`specs/cap-${index}/spec.md`, requirements(5000)])),
    ],
    ['10,001 files', Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`specs/a/${index}.md`, '']))],
  ])('%s: is refused, and hides no other', { timeout: 120_000 }, async (_, files) => {
    await using folder = await scratch({
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`openspec/changes/big/${name}`, text])),
      'openspec/changes/small/specs/cap/spec.md': requirements(3),
    });
    const project = await folder.open({ clock });
    for (const look of [
      async () => readChange(project, 'big'),
      async () => validateChange(project, 'big'),
      async () => archiveChange(project, { slug: 'big' }),
    ]) {
      await expect(look()).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    }
    expect((await listChanges(project)).total).toBe(2);
    expect(await readChange(project, 'small')).toMatchObject({ slug: 'small', overlaps: [] });
    expect(await overlapsOf(project)).toEqual([]);
  });

  it('as large as it may be, is read, noted and read again', async () => {
    await using folder = await scratch({ 'openspec/changes/big/specs/cap/spec.md': requirements(8000) });
    const project = await folder.open({ clock });
    for (let count = 0; count < 2; count += 1) {
      expect((await validateChange(project, 'big')).issues.length).toBeGreaterThan(8000);
    }
  });
});
