import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDelta } from '../grammar/delta.ts';
import { parseSpec } from '../grammar/spec.ts';
import { fixedClock, scratch } from '../../fixtures/scratch.ts';
import { added, changeOf, modified, removed, renamed, requirement, specOf } from '../../fixtures/texts.ts';
import { archiveChange } from '../archive.ts';
import { unarchiveChange } from '../unarchive.ts';
import { mergeDelta } from './merge.ts';

const NAMES = ['A', 'B', 'C', 'D', 'E'] as const;

/** A change as its author thinks of it. */
interface Wish {
  readonly renamed: readonly (readonly [from: string, to: string])[];
  readonly removed: readonly string[];
  readonly modified: readonly (readonly [name: string, how: string])[];
  readonly added: readonly (readonly [name: string, how: string])[];
}

const HOW = fc.constantFrom('plainly', 'well', 'fast', 'with 😀', 'in `code`');
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 2 });
const name = fc.constantFrom(...NAMES, 'F', 'G');
const wish: fc.Arbitrary<Wish> = fc.record({
  renamed: some(fc.tuple(name, name)),
  removed: some(name),
  modified: some(fc.tuple(name, HOW)),
  added: some(fc.tuple(name, HOW)),
});
const start = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), HOW), { selector: ([title]) => title, maxLength: 4 });

const body = (title: string, how: string): string => requirement(title, how).split('\n').slice(1).join('\n').trim();

const textOf = (change: Wish): string =>
  [
    ...change.added.map(([title, how]) => added(requirement(title, how))),
    ...change.modified.map(([title, how]) => modified(requirement(title, how))),
    ...change.removed.map((title) => removed(title)),
    ...change.renamed.map(([from, to]) => renamed(from, to)),
  ].join('\n');

/** The merge in another way: a list of [name, text], and OpenSpec's rules as sentences. Undefined: refused. */
const model = (spec: readonly (readonly [string, string])[], change: Wish): [string, string][] | undefined => {
  const list = spec.map(([title, text]): [string, string] => [title, text]);
  const at = (title: string): number => list.findIndex(([other]) => other === title);
  const froms = change.renamed.map(([from]) => from);
  const tos = change.renamed.map(([, to]) => to);
  const modifies = change.modified.map(([title]) => title);
  const adds = change.added.map(([title]) => title);
  const isTwice = [froms, tos, modifies, adds, change.removed].some((names) => new Set(names).size < names.length);
  const isBoth = (a: readonly string[], b: readonly string[]): boolean => a.some((title) => b.includes(title));
  if (isTwice || isBoth(modifies, change.removed) || isBoth(modifies, adds) || isBoth(adds, change.removed)) return;
  if (isBoth(froms, modifies) || isBoth(tos, adds) || isBoth(froms, change.removed)) return;
  for (const [from, to] of change.renamed) {
    if (at(from) < 0 && at(to) >= 0) continue;
    if (at(from) < 0 || at(to) >= 0) return;
    list[at(from)] = [to, list[at(from)]?.[1] ?? ''];
  }
  for (const title of change.removed) if (at(title) >= 0) list.splice(at(title), 1);
  for (const [title, how] of change.modified) {
    if (at(title) < 0) return;
    list[at(title)] = [title, body(title, how)];
  }
  for (const [title, how] of change.added) {
    if (at(title) >= 0 && list[at(title)]?.[1] !== body(title, how)) return;
    if (at(title) < 0) list.push([title, body(title, how)]);
  }
  return list;
};

const read = (spec: string): [string, string][] =>
  parseSpec(spec).requirements.map(({ name: title, raw }) => [title, raw.split('\n').slice(1).join('\n').trim()]);

const outcomeOf = (merged: ReturnType<typeof mergeDelta>): [string, string][] | undefined =>
  'refused' in merged ? undefined : read(merged.text);

/** The whole new file; `otherwise` where the merge was refused. */
const endOf = (merged: ReturnType<typeof mergeDelta>, otherwise = ''): string =>
  'refused' in merged ? otherwise : merged.text;

const isEmpty = (change: Wish): boolean => Object.values(change).every((part: readonly unknown[]) => part.length === 0);

describe('random changes', () => {
  it('[T8.order] [T8.modified] [T8.removed] [T8.renamed] are merged as a small model merges them', () => {
    let merges = 0;
    fc.assert(
      fc.property(start, wish, (spec, change) => {
        fc.pre(!isEmpty(change));
        const deltaText = textOf(change);
        const base = specOf(...spec.map(([title, how]) => requirement(title, how)));
        const input = { capability: 'cap', slug: 'chg', delta: parseDelta(deltaText), deltaText, base };
        const merged = mergeDelta(input);
        const wanted = model(
          spec.map(([title, how]) => [title, body(title, how)]),
          change,
        );
        if (wanted !== undefined) merges += 1;
        // The same once more in the line ends of another system.
        const foreign = mergeDelta({ ...input, base: base.replaceAll('\n', '\r\n') });
        expect(outcomeOf(merged)).toEqual(wanted);
        expect(outcomeOf(foreign)).toEqual(wanted);
        expect(endOf(foreign)).toBe(endOf(merged).replaceAll('\n', '\r\n'));
        // Everything above the requirements is kept.
        const above = base.slice(0, base.indexOf('## Requirements'));
        expect(endOf(merged, above).startsWith(above)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(merges).toBeGreaterThan(200);
  });

  it('[T8.atomic] [T8.unarchive] of two capabilities happen whole or not at all, and can be taken back', async () => {
    const clock = fixedClock('2026-11-20T12:00:00.000Z');
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(start, wish, start, wish, async (spec, change, otherSpec, otherChange) => {
        const wishes = [change, otherChange];
        const specs = [spec, otherSpec];
        fc.pre(wishes.every((one) => !isEmpty(one)) && specs.every((one) => one.length > 0));
        const files = Object.fromEntries(
          specs.map((one, index) => [
            `openspec/specs/c${index}/spec.md`,
            specOf(...one.map(([title, how]) => requirement(title, how))),
          ]),
        );
        await using folder = await scratch({
          ...files,
          ...changeOf('chg', { c0: textOf(change), c1: textOf(otherChange) }),
        });
        const project = await folder.open({ clock });
        const before = await folder.tree();
        const isDone = await archiveChange(project, { slug: 'chg' }).then(
          () => true,
          () => false,
        );
        ends.set(String(isDone), (ends.get(String(isDone)) ?? 0) + 1);
        const wanted = specs.map((one, index) =>
          model(
            one.map(([title, how]) => [title, body(title, how)]),
            wishes[index] ?? { renamed: [], removed: [], modified: [], added: [] },
          ),
        );
        // A specification never loses its last requirement without the word that says so.
        const isAllowed = wanted.every((list) => list !== undefined && list.length > 0);
        const found = await Promise.all(
          specs.map(async (_, index) => read(await folder.read(`openspec/specs/c${index}/spec.md`))),
        );
        expect(isDone ? found : undefined).toEqual(isAllowed ? wanted : undefined);
        if (isDone) await unarchiveChange(project, { slug: 'chg' });
        expect(await folder.tree()).toEqual(before);
      }),
      // One in fifty is allowed, so that many are needed to see both ends.
      { numRuns: 600 },
    );
    expect(ends.size).toBe(2);
  }, 180_000);
});
