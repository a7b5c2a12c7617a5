import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dropLock, faultyDisk } from '../fixtures/faulty-disk.ts';
import { fixedClock, scratch, type Scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, removed, renamed, requirement, specOf } from '../fixtures/texts.ts';
import { archiveChange } from './archive.ts';
import { openChange } from './open.ts';
import { withCaller } from './project.ts';
import { tickTask } from './tick.ts';
import { unarchiveChange } from './unarchive.ts';
import { validateChange } from './validate.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const SPEC = 'openspec/specs/cap/spec.md';
const ARCHIVED = 'openspec/changes/archive/2026-11-20-chg';
const [A, B] = [requirement('A'), requirement('B')];

/** Really every file of the project, but for the lock's generations. */
const everything = async (folder: Scratch): Promise<Record<string, string>> => {
  const entries = await readdir(folder.root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const texts = files
    .filter((file) => !file.includes('.task-mcp'))
    .sort()
    .map(async (file) => [path.relative(folder.root, file), await readFile(file, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
};

describe('[T8.unarchive] taking an archive back', () => {
  it.each([
    ['writes', { [SPEC]: specOf(A, B) }, `${renamed('A', 'A2')}${removed('B')}${added(requirement('N'))}`],
    ['writes with foreign line ends', { [SPEC]: `\uFEFF${specOf(A, B).replaceAll('\n', '\r\n')}` }, removed('B')],
    ['writes twice over', { [SPEC]: specOf(A, A.replaceAll('A', 'AA')) }, modified(requirement('AA', '😀'))],
    ['creates', {}, added(requirement('N'))],
    ['deletes', { [SPEC]: specOf(A) }, removed('A')],
    ['leaves alone', { [SPEC]: specOf(A) }, modified(A)],
  ])('gives back every byte of a specification that it %s', async (_, specs, delta) => {
    await using folder = await scratch({
      ...specs,
      ...changeOf('chg', { cap: delta, 'area/new': added(requirement('N')) }),
      'openspec/changes/chg/.openspec.yaml': 'schema: spec-driven\nretire_capabilities: true\n',
      'openspec/changes/chg/receipt.json': 'of somebody else',
    });
    const project = await folder.open({ clock });
    await validateChange(project, 'chg');
    const before = await everything(folder);
    const { specs: updates } = await archiveChange(project, { slug: 'chg' });
    const result = await unarchiveChange(project, { slug: 'chg' });
    expect(result).toEqual({
      slug: 'chg',
      archivedAs: '2026-11-20-chg',
      path: 'openspec/changes/chg',
      specs: updates.map((update) => update.path),
    });
    expect(await everything(folder)).toEqual(before);
    await archiveChange(project, { slug: 'chg' });
    expect(await unarchiveChange(project, { slug: '2026-11-20-chg' })).toEqual(result);
  });

  it('is refused where a specification was changed since', async () => {
    await using folder = await scratch({ [SPEC]: specOf(A), ...changeOf('chg', { cap: added(B) }) });
    const project = await folder.open({ clock });
    await archiveChange(project, { slug: 'chg' });
    await folder.write({ [SPEC]: `${await folder.read(SPEC)}\n` });
    const before = await folder.tree();
    await expect(unarchiveChange(project, { slug: 'chg' })).rejects.toMatchObject({
      code: 'CHANGE_CONFLICT',
      details: { slug: 'chg', files: [SPEC] },
    });
    expect(await folder.tree()).toEqual(before);
  });

  it('is refused where the slug is taken, nothing was archived, or another tool did it', async () => {
    await using folder = await scratch({ ...changeOf('chg', { cap: added(A) }), [`${ARCHIVED}-by-hand/tasks.md`]: '' });
    const project = await folder.open({ clock });
    await expect(unarchiveChange(project, { slug: 'chg' })).rejects.toMatchObject({ code: 'CHANGE_NOT_FOUND' });
    await expect(unarchiveChange(project, { slug: '../chg' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(unarchiveChange(project, { slug: 'chg-by-hand' })).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    await archiveChange(project, { slug: 'chg' });
    await folder.write(changeOf('chg', { cap: added(B) }));
    await expect(unarchiveChange(project, { slug: 'chg' })).rejects.toMatchObject({ code: 'CHANGE_ALREADY_EXISTS' });
  });

  it('takes the last of several, and is refused to others while a lease lasts', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    const input = { title: 'T', slug: 'chg', rationale: undefined, ttl: undefined, template: undefined };
    for (let count = 1; count <= 11; count += 1) {
      await openChange(project, { ...input, owner: 'team' });
      await archiveChange(project, { slug: 'chg' });
    }
    const eve = withCaller(project, { caller: 'eve' });
    await expect(unarchiveChange(eve, { slug: 'chg' })).rejects.toMatchObject({ code: 'CHANGE_LOCKED' });
    expect(await unarchiveChange(project, { slug: 'chg' })).toMatchObject({ archivedAs: '2026-11-20-chg-11' });
  });

  it.each(['{"format":1}', '{"format":1,"slug":"chg","specs":[{}],"receipt":null}', '[]', 'x'])(
    'is refused where its record says %s',
    async (record) => {
      await using folder = await scratch({ [`${ARCHIVED}/.undo.json`]: record });
      const project = await folder.open({ clock });
      await expect(unarchiveChange(project, { slug: 'chg' })).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    },
  );

  it('does not follow a record out of the folder', async () => {
    const spec = { path: 'specs/../../outside.md', after: null, before: { start: 0, end: 0, text: 'x' } };
    const record = JSON.stringify({ format: 1, slug: 'chg', specs: [spec], receipt: null });
    await using folder = await scratch({ [`${ARCHIVED}/.undo.json`]: record });
    const unarchiving = unarchiveChange(await folder.open({ clock }), { slug: 'chg' });
    await expect(unarchiving).rejects.toMatchObject({ code: 'CHANGE_INVALID' });
    expect(await readdir(folder.root)).toEqual(['openspec']);
  });

  it('stays archived where its slug was taken between a crash and the next operation', async () => {
    let withdrawn = 0;
    let isOver = false;
    for (let at = 1; !isOver; at += 1) {
      await using folder = await scratch({ [SPEC]: specOf(A, B), ...changeOf('chg', { cap: removed('B') }) });
      await archiveChange(await folder.open({ clock }), { slug: 'chg' });
      const archived = await everything(folder);
      const crashing = await folder.open({ clock, disk: faultyDisk(at, 'crash') });
      isOver = (await unarchiveChange(crashing, { slug: 'chg' }).catch(() => undefined)) !== undefined;
      await dropLock(folder.root);
      const journal = await readdir(path.join(folder.root, 'openspec/.task-mcp/journal'));
      if (journal.length === 0 || !(`${ARCHIVED}/specs/cap/spec.md` in (await folder.tree()))) continue;
      await folder.write({ 'openspec/changes/chg/tasks.md': '- [ ] 1.1 New\n' });
      await tickTask(await folder.open({ clock }), 'chg', '1.1');
      expect(await everything(folder)).toEqual({ ...archived, 'openspec/changes/chg/tasks.md': '- [x] 1.1 New\n' });
      withdrawn += 1;
    }
    expect(withdrawn).toBeGreaterThan(3);
  });
});
