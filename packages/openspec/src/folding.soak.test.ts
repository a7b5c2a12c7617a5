import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftovers, START } from '../fixtures/before.ts';
import { mountFolding } from '../fixtures/folding-disk.ts';
import { scratch, type Scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, requirement, specOf } from '../fixtures/texts.ts';
import { startWorker, startWorkers } from '../fixtures/worker.ts';

const NFC = 'caf\u00e9';
const NFD = 'cafe\u0301';
const SLUGS = 100;

const namesIn = async (folder: Scratch, at: string): Promise<string[]> =>
  (await readdir(path.join(folder.root, at))).filter((name) => !name.startsWith('.')).sort();

describe('[F11] on real disks that fold case', { timeout: 600_000 }, () => {
  it('every operation keeps its word, and no two spellings are two things', async (context) => {
    using mounted = mountFolding();
    if (mounted.disks.length === 0)
      context.skip(`No disk that folds can be mounted here. ${mounted.reasons.join('; ')}`);
    for (const { name: disk, root } of mounted.disks) {
      await expectSameAsElsewhere(root, disk);
      for (const [first, second] of [
        ['Cap', 'cap'],
        ['cap', 'CAP'],
        [NFC, NFD],
        [NFC, NFC.toUpperCase()],
        ['area/Cap', 'area/cap'],
        ['Area/cap', 'area/cap'],
      ] as const) {
        await expectOneSpecification(root, { first, second, what: `${disk}: ${first} and ${second}` });
      }
      await expectOneChange(root, disk);
      await expectOneWinner(root, disk);
    }
  });
});

const expectSameAsElsewhere = async (root: string, disk: string): Promise<void> => {
  await using worker = await startWorker();
  await using folder = await scratch(START, root);
  await using other = await scratch(START);
  for (const operation of ['open', 'tick', 'archive', 'unarchive']) {
    expect(await worker.ask(operation, folder.root), `${disk}: ${operation}`).toBe('ok');
    expect(await worker.ask(operation, other.root)).toBe('ok');
  }
  expect(Object.keys(await folder.tree()), disk).toEqual(Object.keys(await other.tree()));
  expect(await leftovers(folder), disk).toEqual([]);
};

/** A delta of another spelling is refused, or meets the one specification that is there: nobody's text is lost. */
const expectOneSpecification = async (
  root: string,
  { first, second, what }: { first: string; second: string; what: string },
): Promise<void> => {
  await using worker = await startWorker();
  await using folder = await scratch(
    {
      [`openspec/specs/${first}/spec.md`]: specOf(requirement('A')),
      ...changeOf('adds', { [second]: added(requirement('B')) }),
      ...changeOf('edits', { [second]: modified(requirement('A', 'newly')) }),
    },
    root,
  );
  const before = await folder.tree();
  for (const slug of ['adds', 'edits']) {
    const told = await worker.ask('archive', folder.root, slug);
    if (told === 'ok') continue;
    expect(told, what).toBe('CHANGE_CONFLICT');
    expect(await folder.tree(), what).toEqual(before);
  }
  const specs = Object.entries(await folder.tree()).filter(([file]) => file.startsWith('openspec/specs/'));
  expect(specs, what).toHaveLength(1);
  expect(specs[0]?.[1], what).toContain('### Requirement: A');
  const archived = await namesIn(folder, 'openspec/changes/archive').catch(() => []);
  expect(specs[0]?.[1].includes('### Requirement: B'), what).toBe(archived.some((name) => name.endsWith('-adds')));
  expect(specs[0]?.[1].includes('do A newly'), what).toBe(archived.some((name) => name.endsWith('-edits')));
};

/** Under the spelling that a listing shows it is there, under every other it is taken and not there. */
const expectOneChange = async (root: string, disk: string): Promise<void> => {
  await using worker = await startWorker();
  await using folder = await scratch(changeOf('Add-It', { cap: added(requirement('A')) }), root);
  await folder.write({ 'openspec/changes/Add-It/tasks.md': '- [ ] 1.1 a\n' });
  await folder.write({ 'openspec/changes/archive/tasks.md': '- [ ] 1.1 a\n' });
  const shown = (await namesIn(folder, 'openspec/changes')).find((name) => name !== 'archive') ?? '';
  const others = ['Add-It', 'add-it', 'ADD-IT', 'add-It'].filter((name) => name !== shown);
  expect(others, disk).toHaveLength(3);
  expect(await worker.ask('open', folder.root, 'add-it'), disk).toBe('CHANGE_ALREADY_EXISTS');
  for (const operation of ['tick', 'archive']) {
    for (const name of [...others, 'Archive', 'ARCHIVE']) {
      expect(await worker.ask(operation, folder.root, name), `${disk}: ${operation} ${name}`).toBe('CHANGE_NOT_FOUND');
    }
  }
  expect(await folder.read(`openspec/changes/${shown}/tasks.md`), disk).toBe('- [ ] 1.1 a\n');
  expect(await worker.ask('tick', folder.root, shown), disk).toBe('ok');
  expect(await worker.ask('archive', folder.root, shown), disk).toBe('ok');
  for (const name of others) expect(await worker.ask('unarchive', folder.root, name), disk).toBe('CHANGE_NOT_FOUND');
  expect(await worker.ask('unarchive', folder.root, shown), disk).toBe('ok');
};

/** The lock and the one rename are what they are elsewhere. */
const expectOneWinner = async (root: string, disk: string): Promise<void> => {
  await using folder = await scratch({}, root);
  await using group = await startWorkers(4);
  const told = await Promise.all(group.all.map(async (worker) => worker.ask('openAll', folder.root, 'same', SLUGS)));
  const count = (end: string): number =>
    told.reduce((sum: number, ends) => sum + Number(Reflect.get(Object(ends), end) ?? 0), 0);
  expect(count('ok'), disk).toBe(SLUGS);
  expect(count('CHANGE_ALREADY_EXISTS'), disk).toBe(3 * SLUGS);
  expect(await namesIn(folder, 'openspec/changes'), disk).toHaveLength(SLUGS);
  expect(await leftovers(folder), disk).toEqual([]);
};
