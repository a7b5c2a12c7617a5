import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { delta, leftovers } from '../fixtures/before.ts';
import { raceOfReaders } from '../fixtures/read-race.ts';
import { scratch } from '../fixtures/scratch.ts';
import { startWorkers } from '../fixtures/worker.ts';

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
    await using group = await startWorkers(8);
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
    await using group = await startWorkers(6);
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

  it('[F14] 4 readers, 30 s, beside writers that open, tick and archive: no torn read, no page that repeats or misses', async () => {
    const { reads, written, torn } = await raceOfReaders(30_000);
    expect(torn).toEqual([]);
    expect(reads).toBeGreaterThan(2000);
    expect(written).toBeGreaterThan(50);
  });
});
