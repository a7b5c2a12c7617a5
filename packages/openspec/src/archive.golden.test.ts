import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { golden, type GoldenCase } from '../fixtures/golden.ts';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';

/** Where we answer otherwise on purpose, and why. */
const ON_PURPOSE = new Map([
  ['no_deltas', 'OpenSpec archives with -y what its own validation calls invalid'],
  ['no_validate', 'there is no way around validation'],
  ['skip_specs_flag', 'there is no flag that drops the deltas of a change'],
  ['no_yes', 'a call is a decision: there is no terminal to confirm at'],
  ['archive_collision', 'a taken name gets a number instead of a refusal'],
]);

const clock = fixedClock('2026-11-20T12:00:00.000Z');

const archive = async ({ input, slug, archiveArgs }: GoldenCase) => {
  await using folder = await scratch(input);
  const project = await folder.open({ clock });
  const before = await folder.tree();
  const options = { slug, allowIncomplete: archiveArgs.includes('-y') };
  const outcome = await archiveChange(project, options).catch((error: unknown) => codeOf(error) ?? String(error));
  const tree = await folder.tree();
  const specs = Object.fromEntries(Object.entries(tree).filter(([name]) => name.startsWith('openspec/specs/')));
  return { before, outcome, tree, specs };
};

const caseNamed = (name: string): GoldenCase => {
  const found = golden.get(name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};

const refused = [...golden].filter(([name, one]) => !one.archive.accepted && !ON_PURPOSE.has(name));
const merged = [...golden].filter(([name, one]) => one.archive.accepted && !ON_PURPOSE.has(name));

describe('[T8.golden] archive as OpenSpec 1.13.2', () => {
  it('covers every case once', () => {
    expect(golden.size).toBe(93);
    expect(refused.length + merged.length + ON_PURPOSE.size).toBe(93);
  });

  it.each(merged)(
    '[T8.order] [T8.added] [T8.modified] [T8.removed] [T8.renamed] %s: the same specifications, byte for byte',
    async (_, one) => {
      const { outcome, specs, tree } = await archive(one);
      expect(outcome).toMatchObject({
        archivedAs: one.archive.archivedAs,
        warnings: one.archive.warnings,
      });
      const none = { added: 0, modified: 0, removed: 0, renamed: 0 };
      expect(outcome).toMatchObject({ totals: one.archive.totals ?? none });
      expect(specs).toEqual(one.specsAfter);
      expect(Object.keys(tree)).toContain(`openspec/changes/archive/${one.archive.archivedAs}/receipt.json`);
    },
  );

  it.each(refused)('[T8.unsupported] %s: refused, nothing changed', async (_, one) => {
    const { outcome, before, tree } = await archive(one);
    expect(['CHANGE_INVALID', 'CHANGE_CONFLICT', 'CHANGE_TASKS_INCOMPLETE']).toContain(outcome);
    expect(tree).toEqual(before);
  });

  it.each(['no_deltas', 'no_validate'])('%s: refused on purpose', async (name) => {
    const { outcome, before, tree } = await archive(caseNamed(name));
    expect(outcome).toBe('CHANGE_INVALID');
    expect(tree).toEqual(before);
  });

  it.each(['skip_specs_flag', 'no_yes', 'archive_collision'])('%s: merged on purpose', async (name) => {
    const one = caseNamed(name);
    // The case records files only, so the empty folder that was in the way gets one.
    const taken = { 'openspec/changes/archive/2026-11-20-chg/proposal.md': '# Earlier\n' };
    const input = name === 'archive_collision' ? { ...one.input, ...taken } : one.input;
    const { outcome, specs } = await archive({ ...one, input });
    expect(outcome).toMatchObject({ totals: { added: 1 } });
    expect(specs).toEqual(caseNamed('add_simple').specsAfter);
    const archivedAs = name === 'archive_collision' ? '2026-11-20-chg-2' : '2026-11-20-chg';
    expect(outcome).toMatchObject({ archivedAs });
  });
});
