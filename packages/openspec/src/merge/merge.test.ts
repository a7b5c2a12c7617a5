import { describe, expect, it } from 'vitest';
import { golden } from '../../fixtures/golden.ts';
import { parseDelta } from '../grammar/delta.ts';
import { mergeDelta } from './merge.ts';
import type { Merge } from './model.ts';

/** Deltas of a case with the main specification that each meets. */
const mergesOf = (name: string): Map<string, ReturnType<typeof mergeDelta>> => {
  const { input, slug }: { input: Readonly<Record<string, string>>; slug: string } = golden.get(name) ?? {
    input: {},
    slug: '',
  };
  const found = new Map<string, ReturnType<typeof mergeDelta>>();
  for (const [file, deltaText] of Object.entries(input)) {
    const capability = /^openspec\/changes\/[^/]+\/specs\/(.+)\/spec\.md$/u.exec(file)?.[1];
    if (capability === undefined) continue;
    const base = input[`openspec/specs/${capability}/spec.md`];
    found.set(capability, mergeDelta({ capability, slug, delta: parseDelta(deltaText), deltaText, base }));
  }
  return found;
};

const isMerge = (merged: ReturnType<typeof mergeDelta>): merged is Merge => !('refused' in merged);

/** Retiring a capability deletes its file, which is not a matter of text. `--skip-specs` merges nothing. */
const ELSEWHERE = new Set(['rem_last_marker', 'skip_specs_flag']);
const accepted = [...golden].filter(([name, { archive }]) => archive.accepted && !ELSEWHERE.has(name));

describe('[T8.order] [T8.added] [T8.modified] [T8.removed] [T8.renamed] the merge gives the bytes that OpenSpec 1.13.2 writes', () => {
  it.each(accepted)('%s', (name, { specsAfter, archive }) => {
    const merges = mergesOf(name);
    const warnings: string[] = [];
    for (const [capability, merged] of merges) {
      if (!isMerge(merged)) throw new Error(merged.refused);
      warnings.push(...merged.warnings);
      const written = merged.changed ? merged.text : golden.get(name)?.input[`openspec/specs/${capability}/spec.md`];
      expect(written).toBe(specsAfter[`openspec/specs/${capability}/spec.md`]);
    }
    expect(warnings).toEqual(archive.warnings);
    const count = (key: 'added' | 'modified' | 'removed' | 'renamed'): number =>
      [...merges.values()].filter(isMerge).reduce((sum, merge) => sum + merge[key].length, 0);
    if (archive.totals === null) return;
    expect(archive.totals).toEqual({
      added: count('added'),
      modified: count('modified'),
      removed: count('removed'),
      renamed: count('renamed'),
    });
  });

  it.each([...golden].filter(([, { archive }]) => /failed for header|target spec/u.test(archive.message ?? '')))(
    '%s: refused in the same words',
    (name, { archive }) => {
      const refusals = [...mergesOf(name).values()].flatMap((merged) => (isMerge(merged) ? [] : [merged.refused]));
      expect(refusals).toContain(archive.message);
    },
  );
});
