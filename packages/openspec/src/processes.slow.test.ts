import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { delta, leftovers } from '../fixtures/before.ts';
import { scratch } from '../fixtures/scratch.ts';
import { startWorker, type Worker } from '../fixtures/worker.ts';

const workers = async (count: number): Promise<AsyncDisposable & { all: readonly Worker[] }> => {
  const all = await Promise.all(Array.from({ length: count }, () => startWorker()));
  return {
    all,
    [Symbol.asyncDispose]: async () => {
      for (const worker of all) await worker[Symbol.asyncDispose]();
    },
  };
};

/** Answers of `worker.mjs`: how often each end came. */
const sum = (answers: readonly unknown[], end: string): number =>
  answers.reduce((total: number, answer) => {
    const count: unknown = answer !== null && typeof answer === 'object' ? Reflect.get(answer, end) : 0;
    return total + (typeof count === 'number' ? count : Array.isArray(count) ? count.length : 0);
  }, 0);

const slugsOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name !== 'archive').sort();

const SLUGS = 1000;

describe('many processes on one folder', { timeout: 240_000 }, () => {
  it(`[F1] [T6.exists] 8 processes open the same ${SLUGS} slugs: exactly one winner each`, async () => {
    await using folder = await scratch();
    await using group = await workers(8);
    const answers = await Promise.all(group.all.map((worker) => worker.ask('openAll', folder.root, 'same', SLUGS)));
    expect(sum(answers, 'ok')).toBe(SLUGS);
    expect(sum(answers, 'CHANGE_ALREADY_EXISTS')).toBe(7 * SLUGS);
    const slugs = await slugsOf(path.join(folder.root, 'openspec/changes'));
    expect(slugs).toEqual(Array.from({ length: SLUGS }, (_, index) => `same-${index}`).sort());
    for (const slug of slugs) {
      expect(await slugsOf(path.join(folder.root, 'openspec/changes', slug))).toEqual(
        expect.arrayContaining(['.openspec.yaml', 'proposal.md', 'specs', 'tasks.md']),
      );
    }
    expect(await leftovers(folder)).toEqual([]);
  });

  it('[F2] [T8.atomic] 6 processes archive the same and different slugs of one specification: nothing is lost', async () => {
    const slugs = Array.from({ length: 36 }, (_, index) => `add-${index}`);
    await using folder = await scratch(
      Object.fromEntries(slugs.map((slug) => [`openspec/changes/${slug}/specs/cap/spec.md`, delta(`Rule ${slug}`)])),
    );
    await using group = await workers(6);
    // Each has half of its slugs for itself, and shares the other half with everybody.
    const answers = await Promise.all(
      group.all.map((worker, own) =>
        worker.ask(
          'archiveAll',
          folder.root,
          slugs.filter((_, index) => index % 2 === 0 || index % 6 === own),
        ),
      ),
    );
    expect(sum(answers, 'ok')).toBe(slugs.length);
    expect(sum(answers, 'CHANGE_ALREADY_ARCHIVED')).toBe(5 * 18);
    const spec = await folder.read('openspec/specs/cap/spec.md');
    const rules = [...spec.matchAll(/^### Requirement: Rule (.*)$/gmu)].map(([, slug]) => slug);
    expect(rules).toHaveLength(slugs.length);
    expect(new Set(rules)).toEqual(new Set(slugs));
    expect(await slugsOf(path.join(folder.root, 'openspec/changes'))).toEqual([]);
    expect(await readdir(path.join(folder.root, 'openspec/changes/archive'))).toHaveLength(slugs.length);
    expect(await leftovers(folder)).toEqual([]);
  });

  it('[F14] 4 readers, 30 s, beside writers that open, tick and archive: no torn read', async () => {
    const always = ['stays-0', 'stays-1', 'stays-2'];
    await using folder = await scratch();
    await using group = await workers(6);
    const [writer, other, ...readers] = group.all;
    for (const slug of always) expect(await writer?.ask('open', folder.root, slug)).toBe('ok');
    const { total } = await totalOf(folder.root);
    await folder.write({
      'expected.json': JSON.stringify({ counts: [`0/${total}`, `1/${total}`], titles: ['New one'], always }),
    });
    const [one, two, ...told] = await Promise.all([
      writer?.ask('write', folder.root, 30_000, 'left'),
      other?.ask('write', folder.root, 30_000, 'right'),
      ...readers.map((reader) => reader.ask('read', folder.root, 30_000, path.join(folder.root, 'expected.json'))),
    ]);
    for (const answer of told) expect(answer).toMatchObject({ torn: [] });
    expect(sum(told, 'reads')).toBeGreaterThan(2000);
    expect(sum([one, two], 'count')).toBeGreaterThan(50);
  });
});

const totalOf = async (root: string): Promise<{ total: number }> => {
  const { openProject } = await import('./project.ts');
  const { listChanges } = await import('./list.ts');
  const { systemClock } = await import('@cloutagent/kit');
  const { items } = await listChanges(await openProject(root, { clock: systemClock, caller: 'ada' }));
  return { total: items[0]?.tasks.total ?? 0 };
};
