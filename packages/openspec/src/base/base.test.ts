import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { dropLock } from '../../fixtures/faulty-disk.ts';
import { fixedClock, scratch, testDisk, type Scratch } from '../../fixtures/scratch.ts';
import { added, changeOf, modified, removed, renamed, requirement, scenario, specOf } from '../../fixtures/texts.ts';
import { archiveChange } from '../archive.ts';
import { readChange } from '../detail.ts';
import { thisProcess } from '../disk/process-mark.ts';
import { overlapsOf } from '../overlaps.ts';
import type { Project } from '../project.ts';
import { rebaseChange } from '../rebase.ts';
import { tickTask } from '../tick.ts';
import { validateChange } from '../validate.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const SPEC = 'openspec/specs/cap/spec.md';
const A = requirement('A');
const B = requirement('B');

/** Two changes that start from one specification; both were seen once. */
const opened = async (mine: string, theirs: string): Promise<Scratch> => {
  const folder = await scratch({
    [SPEC]: specOf(A, B),
    ...changeOf('mine', { cap: mine }),
    ...changeOf('theirs', { cap: theirs }),
  });
  const project = await folder.open({ clock });
  await validateChange(project, 'mine');
  await validateChange(project, 'theirs');
  return folder;
};

const archive = async (folder: Scratch, slug: string, union = false) =>
  archiveChange(await folder.open({ clock }), { slug, union });

describe('[X4.stale] [T8.fingerprint] an archive that would overwrite what others wrote', () => {
  it('is refused with the texts of both sides, and nothing is lost', async () => {
    const [ours, others] = [requirement('A', 'my way'), requirement('A', 'their way')];
    await using folder = await opened(modified(ours), modified(others));
    await archive(folder, 'theirs');
    const before = await folder.tree();
    await expect(archive(folder, 'mine')).rejects.toMatchObject({
      code: 'CHANGE_CONFLICT',
      hint: expect.stringMatching(/clout change rebase mine/u),
      details: {
        slug: 'mine',
        capability: 'cap',
        requirement: 'A',
        operation: 'MODIFIED',
        base: A.trim(),
        current: others.trim(),
        yours: ours.trim(),
        conflicts: [{ requirement: 'A' }],
      },
    });
    expect(await folder.tree()).toEqual(before);
    expect((await validateChange(await folder.open({ clock }), 'mine')).issues).toMatchObject([
      { level: 'INFO', code: 'BASE_CHANGED' },
      { level: 'INFO', code: 'TASKS_MISSING' },
    ]);
  });

  it('goes through when its author was shown the other text and edited the own', async () => {
    await using folder = await opened(modified(requirement('A', 'my way')), modified(requirement('A', 'their way')));
    await archive(folder, 'theirs');
    // An edit before the conflict was shown proves nothing.
    await folder.write(changeOf('mine', { cap: modified(requirement('A', 'my own way')) }));
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    await folder.write(changeOf('mine', { cap: modified(requirement('A', 'both ways')) }));
    await archive(folder, 'mine');
    expect(await folder.read(SPEC)).toBe(specOf(requirement('A', 'both ways'), B));
  });

  it('is refused again where the specification changed once more after it was shown', async () => {
    await using folder = await opened(modified(requirement('A', 'my way')), modified(requirement('A', 'their way')));
    await archive(folder, 'theirs');
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    await folder.write({ [SPEC]: specOf(requirement('A', 'a third way'), B) });
    await folder.write(changeOf('mine', { cap: modified(requirement('A', 'both ways')) }));
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ details: { base: A.trim() } });
  });

  it.each([
    ['removes', removed('A')],
    ['renames', renamed('A', 'A2')],
    ['renames and modifies', `${renamed('A', 'A2')}${modified(requirement('A2', 'my way'))}`],
  ])('is refused where it %s it, until its author takes the new base', async (_, delta) => {
    await using folder = await opened(delta, modified(requirement('A', 'their way')));
    await archive(folder, 'theirs');
    const refusal = { code: 'CHANGE_CONFLICT', details: { requirement: 'A', base: A.trim() } };
    await expect(archive(folder, 'mine')).rejects.toMatchObject(refusal);
    const project = await folder.open({ clock });
    expect(await rebaseChange(project, 'mine')).toEqual({
      slug: 'mine',
      rebased: [{ capability: 'cap', requirement: 'A' }],
    });
    await archive(folder, 'mine');
    expect(await folder.read(SPEC)).not.toContain('### Requirement: A\n');
  });

  it('tells of a requirement that was removed, or made, meanwhile', async () => {
    await using folder = await opened(`${modified(A)}${added(requirement('N', 'my way'))}`, removed('A'));
    await archive(folder, 'theirs');
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ details: { base: A.trim(), current: null } });
    await using other = await opened(added(requirement('N', 'my way')), added(requirement('N', 'their way')));
    await archive(other, 'theirs');
    await expect(archive(other, 'mine')).rejects.toMatchObject({
      code: 'CHANGE_CONFLICT',
      details: { requirement: 'N', operation: 'ADDED', base: null, current: requirement('N', 'their way').trim() },
    });
  });

  it('is no conflict where both want the same, in other line ends too', async () => {
    const same = modified(requirement('A', 'our way'));
    await using folder = await opened(same.replaceAll('\n', '\r\n'), same);
    await archive(folder, 'theirs');
    expect(await archive(folder, 'mine')).toMatchObject({ specs: [], totals: { modified: 0 } });
  });

  const looks: Readonly<Record<string, (project: Project) => Promise<unknown>>> = {
    show: async (project) => readChange(project, 'mine'),
    tick: async (project) => tickTask(project, 'mine', '1.1'),
    overlaps: async (project) => overlapsOf(project),
    'a failed archive': async (project) => archiveChange(project, { slug: 'mine' }).catch(codeOf),
    'the archive of the other': async () => undefined,
  };

  it.each(Object.entries(looks))('knows what it started from since %s', async (_, look) => {
    await using folder = await scratch({
      [SPEC]: specOf(A, B),
      ...changeOf('mine', { cap: modified(requirement('A', 'my way')) }),
      ...changeOf('theirs', { cap: modified(requirement('A', 'their way')) }),
      'openspec/changes/mine/tasks.md': '- [ ] 1.1 Work\n- [ ] 1.2 More\n',
    });
    const project = await folder.open({ clock });
    await look(project);
    await archive(folder, 'theirs');
    const archiving = archiveChange(project, { slug: 'mine', allowIncomplete: true });
    await expect(archiving).rejects.toMatchObject({ code: 'CHANGE_CONFLICT', details: { base: A.trim() } });
  });

  it('does not forget while a delta cannot be read, and survives a damaged note', async () => {
    const mine = modified(requirement('A', 'my way'));
    await using folder = await opened(mine, modified(requirement('A', 'their way')));
    await folder.write(changeOf('mine', { cap: '## MODIFED Requirements\n' }));
    await validateChange(await folder.open({ clock }), 'mine');
    await archive(folder, 'theirs');
    await folder.write(changeOf('mine', { cap: mine }));
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
    await folder.write({ 'openspec/changes/mine/.bases.json': '<<<<<<< HEAD' });
    await archive(folder, 'mine');
  });

  const refused = async (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code: 'EROFS' }));

  it.each([
    ['cannot be written', { create: refused, note: refused }, {}],
    [
      'is being written by somebody else',
      {},
      {
        'openspec/.task-mcp/lock/held-1': JSON.stringify(thisProcess()),
        'openspec/changes/mine/.bases.json': '<<<<<<< HEAD',
      },
    ],
  ])('is no reason not to show a change in a folder that %s', async (_, refusals, others) => {
    await using folder = await scratch({ [SPEC]: specOf(A), ...changeOf('mine', { cap: modified(A) }), ...others });
    const project = await folder.open({ clock, disk: (openspecDir) => ({ ...testDisk(openspecDir), ...refusals }) });
    const before = await folder.tree();
    expect(await validateChange(project, 'mine')).toMatchObject({ valid: true });
    expect(await readChange(project, 'mine')).toMatchObject({ slug: 'mine', overlaps: [] });
    expect(await folder.tree()).toEqual(before);
  });

  it('is taken at the first look while somebody else writes, and made to last by who changes the specification', async () => {
    await using folder = await scratch({
      [SPEC]: specOf(A),
      ...changeOf('mine', { cap: modified(requirement('A', 'my way')) }),
      ...changeOf('theirs', { cap: modified(requirement('A', 'their way')) }),
      'openspec/.task-mcp/lock/held-1': JSON.stringify(thisProcess()),
    });
    const note = 'openspec/changes/mine/.bases.json';
    await validateChange(await folder.open({ clock }), 'mine');
    expect(JSON.parse(await folder.read(note))).toMatchObject({ passing: true, bases: [{ text: A.trim() }] });
    await dropLock(folder.root);
    await archive(folder, 'theirs');
    expect(JSON.parse(await folder.read(note))).toEqual({
      format: 1,
      bases: [expect.objectContaining({ text: A.trim() })],
    });
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
  });

  it('leaves a note of a newer version alone', async () => {
    await using folder = await opened(modified(requirement('A', 'my way')), added(requirement('N')));
    await folder.write({ 'openspec/changes/mine/.bases.json': '{"format":2}' });
    await expect(archive(folder, 'mine')).rejects.toMatchObject({ code: 'STORAGE_NEWER' });
  });
});

describe('[X4.union] scenarios that both sides added', () => {
  const ours = requirement('A', 'plainly', 'Mine');
  const others = requirement('A', 'plainly', 'Theirs');

  it('are offered together, and kept together where that is asked for', async () => {
    await using folder = await opened(modified(ours), modified(others));
    await archive(folder, 'theirs');
    const union = requirement('A', 'plainly', 'Theirs', 'Mine').trim();
    await expect(archive(folder, 'mine')).rejects.toMatchObject({
      code: 'CHANGE_CONFLICT',
      hint: expect.stringMatching(/--union/u),
      details: { current: others.trim(), yours: ours.trim(), union },
    });
    expect(await archive(folder, 'mine', true)).toMatchObject({
      totals: { modified: 1 },
      warnings: [expect.stringMatching(/scenarios of both sides were kept/u)],
    });
    expect(await folder.read(SPEC)).toBe(specOf(requirement('A', 'plainly', 'Theirs', 'Mine'), B));
  });

  it('are kept under the new name where one side also renamed', async () => {
    const mine = `${renamed('A', 'A2')}${modified(requirement('A', 'plainly', 'Mine').replace('Requirement: A', 'Requirement: A2'))}`;
    await using folder = await opened(mine, modified(others));
    await archive(folder, 'theirs');
    await archive(folder, 'mine', true);
    const union = requirement('A', 'plainly', 'Theirs', 'Mine').replace('Requirement: A', 'Requirement: A2');
    expect(await folder.read(SPEC)).toBe(specOf(union, B));
  });

  it.each([
    ['one side changed the statement', requirement('A', 'my way', 'Mine')],
    ['one side changed a scenario', ours.replace('it is done', 'it is done well')],
    ['both wrote a scenario of one title', requirement('A', 'plainly', 'Theirs').replace(/it is done\n$/u, 'mine\n')],
    ['one side has other headings', `${ours}\n### Notes\nMine\n`],
  ])('are a question for a person where %s', async (_, mine) => {
    await using folder = await opened(modified(mine), modified(others));
    await archive(folder, 'theirs');
    const before = await folder.tree();
    const error: unknown = await archive(folder, 'mine', true).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CHANGE_CONFLICT' });
    expect(error).not.toMatchObject({ details: { union: expect.anything() } });
    expect(await folder.tree()).toEqual(before);
  });

  it('count once where both added the same one', async () => {
    const mine = `${requirement('A', 'plainly', 'Both')}\n${scenario('Mine')}`;
    await using folder = await opened(modified(mine), modified(requirement('A', 'plainly', 'Both')));
    await archive(folder, 'theirs');
    await archive(folder, 'mine', true);
    expect(await folder.read(SPEC)).toBe(specOf(requirement('A', 'plainly', 'Both', 'Mine'), B));
  });
});

describe('[X4.overlaps] changes that name one requirement', () => {
  it('are shown as soon as the second names it', async () => {
    await using folder = await opened(modified(requirement('A', 'my way')), modified(requirement('B', 'their way')));
    const project = await folder.open({ clock });
    expect(await overlapsOf(project)).toEqual([]);
    expect((await readChange(project, 'mine')).overlaps).toEqual([]);
    await folder.write(changeOf('theirs', { cap: modified(requirement('A', 'their way')) }));
    const overlap = {
      capability: 'cap',
      requirement: 'A',
      kind: 'both-modify',
      changes: [
        { slug: 'mine', operation: 'MODIFIED' },
        { slug: 'theirs', operation: 'MODIFIED' },
      ],
    };
    expect(await overlapsOf(project)).toEqual([overlap]);
    expect((await readChange(project, 'theirs')).overlaps).toEqual([overlap]);
    expect(await archive(folder, 'theirs')).toMatchObject({ overlaps: [overlap] });
    expect(await overlapsOf(project, 'mine')).toEqual([]);
  });

  it.each([
    ['both-add', added(requirement('N')), added(requirement('n'))],
    ['both-remove', removed('A'), removed('A')],
    ['mixed', removed('A'), modified(requirement('A', 'my way'))],
    ['mixed', renamed('B', 'N'), added(requirement('N'))],
    ['mixed', renamed('A', 'X'), renamed('A', 'Y')],
  ])('%s', async (kind, mine, theirs) => {
    await using folder = await opened(mine, theirs);
    expect(await overlapsOf(await folder.open({ clock }), 'mine')).toMatchObject([{ kind }]);
  });

  it('of different capabilities have nothing in common', async () => {
    await using folder = await scratch({
      ...changeOf('mine', { cap: added(requirement('N')) }),
      ...changeOf('theirs', { 'cap/deep': added(requirement('N')) }),
    });
    expect(await overlapsOf(await folder.open({ clock }))).toEqual([]);
  });
});
