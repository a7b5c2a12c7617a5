import { keepBases, readBases, baseOf, keyOf } from './base/see.ts';
import { blockOf, blocksOf, sourcesOf } from './base/source.ts';
import type { Base } from './base/bases.ts';
import { loadChange } from './change.ts';
import { mutate } from './held.ts';
import { assertFree } from './lease.ts';
import type { Project } from './project.ts';
import { meetSpecs } from './met.ts';

export interface Rebased {
  readonly slug: string;
  /** Requirements whose text differs from the one that the change started from until now. */
  readonly rebased: readonly { readonly capability: string; readonly requirement: string }[];
}

/**
 * Takes the specification as it is now for what the change starts from: its author has read it, and what the deltas
 * say of it is meant. The deltas stay as they are.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, CHANGE_LOCKED
 */
export const rebaseChange = async (given: Project, slug: string): Promise<Rebased> =>
  mutate(given, async (project) => {
    const files = await loadChange(project, slug);
    assertFree(project, files.name, files.meta);
    const known = readBases(project, files.folder);
    const bases = new Map<string, Base>(known.map((base) => [keyOf(base), base]));
    const rebased: Rebased['rebased'][number][] = [];
    for (const { capability, delta, base: spec } of await meetSpecs(project, files)) {
      const blocks = blocksOf(spec);
      for (const source of sourcesOf(delta)) {
        const now = baseOf(capability, source.requirement, blockOf(blocks, source));
        const before = bases.get(keyOf(now));
        if (before !== undefined && before.sha256 !== now.sha256) {
          rebased.push({ capability, requirement: source.requirement });
        }
        bases.set(keyOf(now), now);
      }
    }
    await keepBases(project, files.folder, known, [...bases.values()]);
    return { slug: files.name, rebased };
  });
