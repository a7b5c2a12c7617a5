import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { dropLock, faultyDisk, type FaultyDisk } from '../fixtures/faulty-disk.ts';
import { fixedClock, scratch, type Scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { sha256 } from './digest.ts';
import { openChange } from './open.ts';
import type { Project } from './project.ts';
import { tickTask } from './tick.ts';
import { unarchiveChange } from './unarchive.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');

const delta = (name: string): string =>
  `## ADDED Requirements\n\n### Requirement: ${name}\nThe system SHALL do it.\n\n#### Scenario: S\n- **WHEN** x\n- **THEN** y\n`;

/** One capability exists, one is new and nested; another change lies beside. */
const START = {
  'openspec/specs/cap/spec.md': `# cap Specification\n\n## Purpose\nA purpose of more than fifty characters, as validation likes it.\n\n## Requirements\n\n${delta('Old').slice(23)}`,
  'openspec/changes/add-it/.openspec.yaml': 'schema: spec-driven\ncreated: 2026-11-01\n',
  'openspec/changes/add-it/tasks.md': '## 1. All\r\n- [ ] 1.1 First\r\n- [x] 1.2 Second\r\n',
  'openspec/changes/add-it/specs/cap/spec.md': delta('New'),
  'openspec/changes/add-it/specs/area/fresh/spec.md': delta('Fresh'),
  'openspec/changes/other/tasks.md': '- [ ] 1.1 Something\n',
  // One that was archived: it created a specification, changed one and deleted one.
  'openspec/specs/made/spec.md': 'made\n',
  'openspec/specs/changed/spec.md': 'a new line\n',
  'openspec/changes/archive/2026-11-19-done/tasks.md': '- [x] 1.1 Done\n',
  'openspec/changes/archive/2026-11-19-done/receipt.json': '{"slug":"done"}\n',
  'openspec/changes/archive/2026-11-19-done/.undo.json': JSON.stringify({
    format: 1,
    slug: 'done',
    specs: [
      { path: 'specs/made/spec.md', after: sha256('made\n'), before: null },
      {
        path: 'specs/changed/spec.md',
        after: sha256('a new line\n'),
        before: { start: 2, end: 5, text: 'very old' },
      },
      { path: 'specs/gone/spec.md', after: null, before: { start: 0, end: 0, text: 'gone\n' } },
    ],
    receipt: null,
  }),
};

interface Operation {
  readonly name: string;
  readonly run: (project: Project) => Promise<unknown>;
}

const OPERATIONS: readonly Operation[] = [
  { name: 'open', run: async (project) => openChange(project, { ...NO_OPTIONS, slug: 'new-one', title: 'New one' }) },
  { name: 'tick', run: async (project) => tickTask(project, 'add-it', '1.1') },
  {
    name: 'archive',
    run: async (project) => archiveChange(project, { slug: 'add-it', allowIncomplete: true }),
  },
  { name: 'unarchive', run: async (project) => unarchiveChange(project, { slug: 'done' }) },
];

const NO_OPTIONS = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };

/** What a person sees; the receipt has a random id, so only its place counts. */
const visible = async (folder: Scratch): Promise<Record<string, string>> => {
  const tree = await folder.tree();
  return Object.fromEntries(
    Object.entries(tree).map(([name, text]) => [name, name.endsWith('receipt.json') ? 'receipt' : text]),
  );
};

/** The start as a person sees it. */
const VISIBLE = Object.fromEntries(
  Object.entries(START)
    .filter(([name]) => !name.endsWith('.undo.json'))
    .map(([name, text]) => [name, name.endsWith('receipt.json') ? 'receipt' : text]),
);

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

const attempt = async (folder: Scratch, { run }: Operation, disk: FaultyDisk): Promise<string | undefined> => {
  try {
    await run(await folder.open({ clock, disk }));
    return undefined;
  } catch (error) {
    return codeOf(error) ?? (error instanceof Error ? error.constructor.name : 'thrown');
  }
};

/** Any mutating operation makes good what was left; this one touches nothing that we look at. */
const nextOperation = async (folder: Scratch): Promise<void> => {
  const project = await folder.open({ clock });
  await expect(tickTask(project, 'other', '9.9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
};

const leftovers = async (folder: Scratch): Promise<string[]> => {
  const work = path.join(folder.root, 'openspec/.task-mcp');
  const parts = ['staging', 'journal', 'quarantine'];
  return (await Promise.all(parts.map(async (part) => readdir(path.join(work, part)).catch(() => [])))).flat();
};

describe.each(OPERATIONS)('[T8.atomic] $name', { timeout: 120_000 }, (operation) => {
  const reference = async (): Promise<{ before: object; after: object; disk: FaultyDisk }> => {
    await using folder = await scratch(START);
    const before = await visible(folder);
    const disk = faultyDisk(0, 'none');
    expect(await attempt(folder, operation, disk)).toBeUndefined();
    return { before, after: await visible(folder), disk };
  };

  it.each(['crash', 'torn'] as const)('a %s at every call leaves the state before or after', async (fault) => {
    const { before, after, disk } = await reference();
    const points = fault === 'torn' ? disk.creations() : upTo(disk.calls());
    expect(points.length).toBeGreaterThan(1);
    const ends = new Set<string>();
    for (const at of points) {
      await using folder = await scratch(START);
      await attempt(folder, operation, faultyDisk(at, fault));
      await dropLock(folder.root);
      await nextOperation(folder);
      const now = await visible(folder);
      expect([before, after], `call ${at}`).toContainEqual(now);
      expect(await leftovers(folder), `call ${at}`).toEqual([]);
      ends.add(JSON.stringify(now));
      const again = await attempt(folder, operation, faultyDisk(0, 'none'));
      const done = ['CHANGE_ALREADY_EXISTS', 'CHANGE_ALREADY_ARCHIVED', 'CHANGE_NOT_FOUND'];
      expect([undefined, ...done], `call ${at}`).toContain(again);
      expect(await visible(folder), `call ${at}`).toEqual(after);
    }
    expect(ends.size).toBeGreaterThan(fault === 'torn' ? 0 : 1);
  });

  it.each([
    ['ENOSPC', 'STORAGE_FULL'],
    ['EIO', 'STORAGE_FAILED'],
  ])('%s at every call is told as %s, and the next operation works', async (errno, code) => {
    const { before, after, disk } = await reference();
    for (const at of upTo(disk.calls())) {
      await using folder = await scratch(START);
      const told = await attempt(folder, operation, faultyDisk(at, { errno }));
      expect([undefined, code], `call ${at}`).toContain(told);
      await nextOperation(folder);
      const now = await visible(folder);
      expect(told === undefined ? [after] : [before, after], `call ${at}`).toContainEqual(now);
      expect(await leftovers(folder), `call ${at}`).toEqual([]);
    }
  });
});

describe('what a disk refuses has a code', () => {
  it.each([
    ['EDQUOT', 'STORAGE_FULL'],
    ['EROFS', 'STORAGE_READONLY'],
    ['EACCES', 'STORAGE_READONLY'],
    ['EMFILE', 'STORAGE_FAILED'],
  ])('%s is %s', async (errno, code) => {
    for (const operation of OPERATIONS) {
      await using folder = await scratch(START);
      expect(await attempt(folder, operation, faultyDisk(1, { errno })), operation.name).toBe(code);
    }
  });
});

describe('[T8.atomic] a file edited by hand between the crash and the next operation', { timeout: 120_000 }, () => {
  it('keeps the edit, takes the rest back and leaves the change open', async () => {
    let withdrawn = 0;
    const total = await callsOfArchive();
    for (let at = 1; at <= total; at += 1) {
      await using folder = await scratch(START);
      const disk = faultyDisk(at, 'crash');
      await attempt(folder, { name: 'archive', run: archiveIt }, disk);
      await dropLock(folder.root);
      const isIntended = (await leftovers(folder)).some((name) => name.endsWith('.json'));
      const isMoved = 'openspec/changes/archive/2026-11-20-add-it/tasks.md' in (await visible(folder));
      if (!isIntended || isMoved) continue;
      await folder.write({ 'openspec/specs/cap/spec.md': 'edited by hand\n' });
      await nextOperation(folder);
      expect(await visible(folder)).toEqual({ ...VISIBLE, 'openspec/specs/cap/spec.md': 'edited by hand\n' });
      withdrawn += 1;
    }
    expect(withdrawn).toBeGreaterThan(3);
  });

  it('leaves a change alone that took the slug after the folder was moved', async () => {
    let seen = 0;
    const total = await callsOfArchive();
    for (let at = 1; at <= total; at += 1) {
      await using folder = await scratch(START);
      await attempt(folder, { name: 'archive', run: archiveIt }, faultyDisk(at, 'crash'));
      await dropLock(folder.root);
      const isIntended = (await leftovers(folder)).some((name) => name.endsWith('.json'));
      const isMoved = 'openspec/changes/archive/2026-11-20-add-it/tasks.md' in (await visible(folder));
      if (!isIntended || !isMoved) continue;
      await folder.write({ 'openspec/changes/add-it/tasks.md': 'a new one\n' });
      await nextOperation(folder);
      expect(await folder.read('openspec/changes/add-it/tasks.md')).toBe('a new one\n');
      seen += 1;
    }
    expect(seen).toBeGreaterThan(1);
  });

  it('quarantines what is no intent', async () => {
    await using folder = await scratch({ ...START, 'openspec/.task-mcp/journal/x.json': '{"format":1,"op":' });
    await nextOperation(folder);
    expect(await leftovers(folder)).toEqual([expect.stringContaining('x.json')]);
  });

  /** What an older version had begun: its intents hold whole texts. */
  const first = async (changed: Readonly<Record<string, string>>, more: readonly object[] = []): Promise<Scratch> => {
    const spec = { path: 'specs/cap/spec.md', before: START['openspec/specs/cap/spec.md'], after: 'merged\n' };
    const writes = [
      spec,
      { path: 'specs/made/spec.md', before: 'made\n', after: null },
      { path: 'specs/area/fresh/spec.md', before: null, after: 'fresh\n' },
      { path: 'changes/add-it/receipt.json', before: null, after: '{}\n' },
      ...more,
    ];
    const text = JSON.stringify({ format: 1, op: 'archive', slug: 'add-it', archivedAs: 'a', writes });
    const folder = await scratch({
      ...START,
      ...changed,
      'openspec/.task-mcp/journal/x.json': `${text}\n${sha256(text)}\n`,
    });
    await nextOperation(folder);
    return folder;
  };

  it.each<Record<string, string>>([
    {},
    { 'openspec/specs/cap/spec.md': 'merged\n' },
    // Where a done intent would go to be written again.
    { 'openspec/.task-mcp/spare/a/folder': 'in the way\n' },
  ])('finishes what an older version had begun, from %j', async (changed) => {
    await using folder = await first(changed);
    const now = await visible(folder);
    expect(now).toMatchObject({
      'openspec/specs/cap/spec.md': 'merged\n',
      'openspec/specs/area/fresh/spec.md': 'fresh\n',
      'openspec/changes/archive/a/receipt.json': 'receipt',
    });
    expect(Object.keys(now)).not.toContain('openspec/specs/made/spec.md');
    expect(Object.keys(now)).not.toContain('openspec/changes/add-it/tasks.md');
    expect(await leftovers(folder)).toEqual([]);
  });

  it('takes back what an older version had begun where a file was edited since', async () => {
    const edited = { 'openspec/specs/area/fresh/spec.md': 'edited by hand\n' };
    await using folder = await first({ ...edited, 'openspec/specs/cap/spec.md': 'merged\n' });
    expect(await visible(folder)).toEqual({ ...VISIBLE, ...edited });
    expect(await leftovers(folder)).toEqual([]);
  });

  it('puts an intent aside of which one file is none', async () => {
    await using folder = await first({}, [{ path: 'specs/cap/other.md', before: 1, after: 'x' }]);
    expect(await visible(folder)).toEqual(VISIBLE);
    expect(await leftovers(folder)).toEqual([expect.stringContaining('x.json')]);
  });

  it('does not follow an intent out of the folder', async () => {
    const write = { path: 'specs/../../outside.md', before: null, after: 'x' };
    const intent = { format: 1, op: 'archive', slug: 'add-it', archivedAs: 'a', writes: [write] };
    const text = JSON.stringify(intent);
    await using folder = await scratch({
      ...START,
      'openspec/.task-mcp/journal/x.json': `${text}\n${sha256(text)}\n`,
    });
    await nextOperation(folder);
    expect(await visible(folder)).toEqual(VISIBLE);
    expect(await leftovers(folder)).toEqual([expect.stringContaining('x.json')]);
  });
});

const archiveIt = async (project: Project): Promise<unknown> =>
  archiveChange(project, { slug: 'add-it', allowIncomplete: true });

const callsOfArchive = async (): Promise<number> => {
  await using folder = await scratch(START);
  const disk = faultyDisk(0, 'none');
  await archiveIt(await folder.open({ clock, disk }));
  return disk.calls();
};
