import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { added, requirement, specOf } from '../fixtures/texts.ts';
import { archiveChange } from './archive.ts';
import { readChange } from './detail.ts';
import { listChanges } from './list.ts';
import { keepListing } from './listing/kept.ts';
import { openChange } from './open.ts';
import type { Project } from './project.ts';
import { readResource } from './resource.ts';
import { tickTask } from './tick.ts';
import { validateChange } from './validate.ts';

const SWAPPER = fileURLToPath(new URL('../fixtures/swapper.mjs', import.meta.url));
const CANARY = 'CANARY-of-elsewhere';
const NONE = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };
const clock = fixedClock('2026-11-20T12:00:00.000Z');

/** What lies outside looks like what is inside, so that whoever is led there finds all that it looks for. */
const OUTSIDE = {
  'changes/one/tasks.md': `- [ ] 1.1 ${CANARY}\n`,
  'changes/one/proposal.md': `# Change: ${CANARY}\n`,
  'changes/one/specs/cap/spec.md': added(requirement(CANARY)),
  'changes/one/.openspec.yaml': `title: ${CANARY}\n`,
  [`changes/${CANARY}/tasks.md`]: '- [ ] 1.1 x\n',
  'specs/cap/spec.md': specOf(requirement(CANARY)),
  'specs/cap/keep.md': CANARY,
  'work/keep.md': CANARY,
};

type Swapper = ChildProcessByStdio<Writable, Readable, null>;

const swapping = async (pairs: readonly string[]): Promise<{ stop: () => Promise<number> }> => {
  const child: Swapper = spawn(process.execPath, [SWAPPER, ...pairs], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    stop: async () => {
      child.stdin.end();
      const { value } = await lines.next();
      return Number(value);
    },
  };
};

/** Folders that are swapped, and where each link leads. */
const PLACES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'the change and its deltas': [
    ['openspec/changes/one', 'changes/one'],
    ['openspec/changes/one/specs', 'changes/one/specs'],
    ['openspec/changes/one/specs/cap', 'changes/one/specs/cap'],
  ],
  'the folders above': [
    ['openspec/changes', 'changes'],
    ['openspec/specs', 'specs'],
  ],
  'our own folders': [
    ['openspec/.task-mcp', 'work'],
    ['openspec/.task-mcp/staging', 'work'],
    ['openspec/.task-mcp/lock', 'work'],
  ],
  'the whole openspec folder': [['openspec', '.']],
};

/** Looks and edits; what they answer must not come from elsewhere. */
const attempts = (project: Project, kept: Project, count: number): readonly (() => Promise<unknown>)[] => [
  async () => listChanges(count % 4 < 2 ? project : kept, { limit: 200, status: 'all' }),
  async () => readChange(project, 'one'),
  async () => readResource(project, 'change://one/proposal'),
  async () => readResource(project, 'change://one/delta/cap/spec.md'),
  async () => readResource(project, 'change://one/tasks'),
  async () => validateChange(project, 'one'),
  async () => tickTask(project, 'one', '1.1'),
  async () => openChange(project, { ...NONE, slug: `new-${count % 50}`, title: 'T' }),
  async () => archiveChange(project, { slug: `new-${(count + 25) % 50}`, allowIncomplete: true }),
];

const LOOKS_PER_EDIT = 20;
const SECONDS = 6;

describe('[F9] [T8.links] a process that swaps folders for links that lead out', { timeout: 120_000 }, () => {
  it.each(Object.entries(PLACES))('in the place of %s: nothing outside is read or written', async (_, places) => {
    await using outside = await scratch(OUTSIDE);
    await using folder = await scratch({
      'openspec/specs/cap/spec.md': specOf(requirement('A')),
      'openspec/changes/one/tasks.md': '- [ ] 1.1 a\n',
      'openspec/changes/one/proposal.md': '# Change: One\n',
      'openspec/changes/one/specs/cap/spec.md': added(requirement('B')),
    });
    const project = await folder.open({ clock });
    for (const part of ['lock', 'staging']) {
      await mkdir(path.join(folder.root, 'openspec/.task-mcp', part), { recursive: true });
    }
    await using kept = keepListing(project);
    const before = await outside.tree();
    const swapper = await swapping(
      places.flatMap(([place, target]) => [path.join(folder.root, place), path.join(outside.root, target)]),
    );
    const ends = new Map<string, number>();
    const end = performance.now() + SECONDS * 1000;
    for (let count = 0; performance.now() < end; count += 1) {
      const all = attempts(project, kept, count);
      const looks = all.slice(0, 6);
      const attempt =
        count % LOOKS_PER_EDIT === 0 ? all[6 + (Math.floor(count / LOOKS_PER_EDIT) % 3)] : looks[count % 6];
      const [code, text] = await (attempt?.() ?? Promise.resolve()).then(
        (answer) => ['done', JSON.stringify(answer) ?? ''] as const,
        (error: unknown) =>
          [codeOf(error) ?? String(error), JSON.stringify(error, Object.getOwnPropertyNames(error))] as const,
      );
      ends.set(code, (ends.get(code) ?? 0) + 1);
      expect(text).not.toContain(CANARY);
    }
    const swaps = await swapper.stop();
    expect(await outside.tree()).toEqual(before);
    expect(swaps).toBeGreaterThan(100);
    expect(ends.get('done') ?? 0).toBeGreaterThan(5);
    expect((ends.get('FORBIDDEN') ?? 0) + (ends.get('CHANGE_NOT_FOUND') ?? 0)).toBeGreaterThan(5);
  });
});
