import { describe, expect, it } from 'vitest';
import { scratch } from '../fixtures/scratch.ts';
import { added, changeOf, requirement } from '../fixtures/texts.ts';
import { archiveChange } from './archive.ts';
import { readChange } from './detail.ts';
import { listChanges } from './list.ts';
import { keepListing } from './listing/kept.ts';
import { trackedNames } from './tracks.ts';

const CHANGE = {
  ...changeOf('chg', { cap: added(requirement('A')) }),
  'openspec/changes/chg/.openspec.yaml': 'schema: own\n',
  'openspec/changes/chg/tasks.md': '- [x] 1.1 Old\n',
  'openspec/changes/chg/work/a.md': '- [x] 1.1 One\n- [ ] 1.2 Two\n',
  'openspec/changes/chg/work/deep/b.md': '- [x] 1.1 Three\n',
};
const schemaOf = (generates: string, tracks?: string): string =>
  `name: own\nartifacts:\n  - id: proposal\n    generates: proposal.md\n  - id: tasks\n    generates: ${JSON.stringify(generates)}\n${tracks === undefined ? '' : `apply:\n  tracks: ${JSON.stringify(tracks)}\n`}`;
const SCHEMA = 'openspec/schemas/own/schema.yaml';
const OLD = { done: 1, total: 1 };

describe('tasks of a project with a workflow schema of its own', () => {
  it.each([
    ['all below a folder', schemaOf('work/**/*.md', 'work/**/*.md'), { done: 2, total: 3 }],
    ['one folder', schemaOf('work/*.md', 'work/*.md'), { done: 1, total: 2 }],
    ['the artifact named tasks, without apply', schemaOf('work/deep/?.md'), { done: 1, total: 1 }],
    ['a track that no artifact makes', schemaOf('work/*.md', 'other/*.md'), OLD],
    ['a pattern without files', schemaOf('none/*.md', 'none/*.md'), OLD],
    ['a file that is no YAML', 'a: [', OLD],
    ['a way out', schemaOf('../../../**', '../../../**'), OLD],
  ])('[T9.page] are counted where it says: %s', async (_, schema, tasks) => {
    await using folder = await scratch({ ...CHANGE, [SCHEMA]: schema });
    const project = await folder.open();
    expect((await readChange(project, 'chg')).tasks).toEqual(tasks);
    expect((await listChanges(project)).items).toMatchObject([{ tasks }]);
  });

  it('[T16.fresh] are counted anew as soon as a schema comes, changes or goes, by an index too', async () => {
    await using folder = await scratch({ ...CHANGE, 'openspec/changes/chg/.openspec.yaml': 'created: 2026-11-20\n' });
    await using project = keepListing(await folder.open());
    const counts = async (): Promise<unknown> => (await listChanges(project)).items[0]?.tasks;
    expect(await counts()).toEqual(OLD);
    await folder.write({ [SCHEMA]: schemaOf('work/*.md', 'work/*.md'), 'openspec/config.yaml': 'schema: own\n' });
    expect(await counts()).toEqual({ done: 1, total: 2 });
    await folder.write({ [SCHEMA]: schemaOf('work/**/*.md', 'work/**/*.md') });
    expect(await counts()).toEqual({ done: 2, total: 3 });
    await folder.write({ 'openspec/config.yaml': 'schema: spec-driven\n' });
    expect(await counts()).toEqual(OLD);
  });

  it('[T8.incomplete] hold an archive while one is open, wherever it is', async () => {
    await using folder = await scratch({ ...CHANGE, [SCHEMA]: schemaOf('work/**/*.md', 'work/**/*.md') });
    const archiving = archiveChange(await folder.open(), { slug: 'chg' });
    await expect(archiving).rejects.toMatchObject({ code: 'CHANGE_TASKS_INCOMPLETE', details: { open: 1, total: 3 } });
  });

  it.each([
    ['**', ['a', 'b/c'], ['a', 'b/c']],
    ['**/**/**/c', ['a', 'b/c', 'c'], ['b/c', 'c']],
    ['a*b*c.md', ['abc.md', 'axxbxc.md', 'ab.md', 'a/bc.md'], ['abc.md', 'axxbxc.md']],
    ['*.md*', ['a.md', 'a.mdx', '.md', 'a.m'], ['a.md', 'a.mdx', '.md']],
    [`${'*a'.repeat(40)}b`, ['a'.repeat(5000)], ['tasks.md']],
    [`${'**/a/'.repeat(4)}b`, [`${'a/'.repeat(30)}c`], ['tasks.md']],
    ['(a+)+', ['aaaa', '(a+)+'], ['(a+)+']],
  ])('the pattern %s', (pattern, names, found) => {
    expect(trackedNames(names, pattern)).toEqual(found);
  });
});
