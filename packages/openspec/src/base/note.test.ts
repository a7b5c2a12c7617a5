import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../../fixtures/scratch.ts';
import { added, changeOf, modified, requirement, specOf } from '../../fixtures/texts.ts';
import { archiveChange } from '../archive.ts';

const SPEC = 'openspec/specs/cap/spec.md';
const A = requirement('A');
const B = requirement('B');

describe('[X4.stale] the note of what a change starts from', () => {
  it('is taken by the archive of another requirement too, and made to last once its own is about to change', async () => {
    await using folder = await scratch({
      [SPEC]: specOf(A, B),
      ...changeOf('mine', { cap: modified(requirement('A', 'my way')) }),
      ...changeOf('apart', { cap: modified(requirement('B', 'their way')) }),
      ...changeOf('theirs', { cap: modified(requirement('A', 'their way')) }),
    });
    const project = await folder.open({ clock: fixedClock('2026-11-20T12:00:00.000Z') });
    const note = 'openspec/changes/mine/.bases.json';
    await archiveChange(project, { slug: 'apart' });
    expect(JSON.parse(await folder.read(note))).toMatchObject({ passing: true, bases: [{ text: A.trim() }] });
    // What was edited since has no note yet; one that a power loss damaged is made anew.
    await folder.write(changeOf('mine', { cap: `${modified(requirement('A', 'my way'))}${added(requirement('N'))}` }));
    await folder.write({ 'openspec/changes/theirs/.bases.json': '{"format":' });
    await folder.write(changeOf('more', { cap: added(requirement('M')) }));
    await archiveChange(project, { slug: 'more' });
    for (const [slug, count] of [
      ['mine', 2],
      ['theirs', 1],
    ] as const) {
      const { bases } = JSON.parse(await folder.read(`openspec/changes/${slug}/.bases.json`)) as { bases: object[] };
      expect(bases).toHaveLength(count);
    }
    await archiveChange(project, { slug: 'theirs' });
    expect(JSON.parse(await folder.read(note))).not.toHaveProperty('passing');
    await expect(archiveChange(project, { slug: 'mine' })).rejects.toMatchObject({ details: { base: A.trim() } });
  });
});
