import path from 'node:path';
import { MAX_DELTA } from '../delta-size.ts';
import { parseDelta } from '../grammar/delta.ts';
import { keyOf, touchesOf } from '../overlap.ts';
import { readLenient } from './lenient.ts';
import { type Listed } from './listing.ts';
import { sliced } from './slice.ts';
import { entriesNow } from './row.ts';

/** What is read of a change stays with its row: an edit makes a new row, so this never is older than the listing. */
const touched = new WeakMap<Listed, ReadonlySet<string>>();
const indexes = new WeakMap<readonly Listed[], ReadonlyMap<string, readonly Listed[]>>();

/**
 * Slugs of the other open changes that name a requirement which a shown change names too, sorted, by the folder of the
 * shown one; none for a change that is alone. `all` is the whole listing: only what shares a capability is read.
 */
export const partnersIn = async (
  all: readonly Listed[],
  shown: readonly Listed[],
  { boundary, monotonic }: { readonly boundary: string; readonly monotonic: () => number },
): Promise<ReadonlyMap<string, string[]>> => {
  const slice = sliced(monotonic);
  const index = indexes.get(all) ?? indexOf(all);
  indexes.set(all, index);
  const partners = new Map<string, string[]>();
  for (const one of shown) {
    if (one.status !== 'draft') continue;
    const others = new Set(capabilitiesOf(one).flatMap((capability) => index.get(capability) ?? []));
    others.delete(one);
    const slugs: string[] = [];
    for (const other of others) {
      if (other.folder !== one.folder && meets(touchesNow(boundary, one), touchesNow(boundary, other))) {
        slugs.push(other.name);
      }
      if (slice.isOver()) await slice.pause();
    }
    if (slugs.length > 0) partners.set(one.folder, slugs.sort());
  }
  return partners;
};

const indexOf = (all: readonly Listed[]): ReadonlyMap<string, readonly Listed[]> => {
  const index = new Map<string, Listed[]>();
  for (const one of all) {
    if (one.status !== 'draft') continue;
    for (const capability of capabilitiesOf(one)) {
      const there = index.get(capability);
      if (there === undefined) index.set(capability, [one]);
      else there.push(one);
    }
  }
  return index;
};

const meets = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => {
  for (const key of a) if (b.has(key)) return true;
  return false;
};

const touchesNow = (boundary: string, one: Listed): ReadonlySet<string> => {
  const known = touched.get(one);
  if (known !== undefined) return known;
  const keys = new Set<string>();
  for (const capability of capabilitiesOf(one)) {
    const text = readLenient(boundary, path.join(one.folder, 'specs', ...capability.split('/'), 'spec.md'))?.text;
    // What is too large to be read is too large to be compared.
    if (text !== undefined && text.length <= MAX_DELTA)
      for (const touch of touchesOf(capability, parseDelta(text))) keys.add(keyOf(touch));
  }
  touched.set(one, keys);
  return keys;
};

/** From the files that the row was made of, or from the folder where there is no such row. */
const capabilitiesOf = (one: Listed & { readonly paths?: readonly string[] }): string[] => {
  const specs = path.join(one.folder, 'specs');
  const files = one.paths ?? filesIn(specs, 0);
  const found: string[] = [];
  for (const file of files) {
    if (!file.startsWith(specs) || path.basename(file) !== 'spec.md') continue;
    const capability = path.dirname(file).slice(specs.length + 1);
    if (capability !== '') found.push(capability.split(path.sep).join('/'));
  }
  return found;
};

/** As deep as other walks go. */
const MAX_DEPTH = 32;

const filesIn = (folder: string, depth: number): string[] =>
  entriesNow(folder).flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const at = path.join(folder, entry.name);
    if (!entry.isDirectory()) return [at];
    return depth < MAX_DEPTH ? filesIn(at, depth + 1) : [];
  });
