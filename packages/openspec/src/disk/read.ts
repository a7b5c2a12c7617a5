import { lstatSync, readdirSync, realpathSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { isInside } from '../project.ts';
import { errnoOf } from './disk.ts';
import { outside, readNow } from './read-now.ts';

const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Text of a file that lies inside `boundary`, also after every link is followed; undefined where there is none.
 * @throws what `readNow` throws
 */
export const readInside = async (boundary: string, file: string): Promise<string | undefined> => {
  const real = realOf(boundary);
  return real === undefined ? undefined : readNow(real, file)?.text;
};

/** Answers of this turn of the event loop: one operation asks for the same folder at every file that it reads. */
const known = new Map<string, string>();

/** Where a folder really is; undefined where there is none. */
export const realOf = (folder: string): string | undefined => {
  try {
    const real = known.get(folder) ?? realpathSync.native(folder);
    if (known.size === 0) setImmediate(() => known.clear());
    known.set(folder, real);
    return real;
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
};

const assertInside = (outer: string, real: string, file: string): void => {
  if (!isInside(outer, real)) throw outside(file);
};

/**
 * Will something written at `target` land inside `boundary`? Looks at the nearest folder that exists.
 * @throws FORBIDDEN where a link on the way leads out
 */
export const assertWritesInside = async (boundary: string, target: string): Promise<void> => {
  try {
    assertInside(realOf(boundary) ?? boundary, realpathSync.native(target), target);
  } catch (error) {
    if (!ABSENT.has(errnoOf(error) ?? '') || path.dirname(target) === target) throw error;
    // A link to nowhere is a way out as soon as somebody makes its target.
    if (isLink(target)) throw outside(target);
    if (target !== boundary) await assertWritesInside(boundary, path.dirname(target));
  }
};

const isLink = (target: string): boolean => {
  try {
    return lstatSync(target).isSymbolicLink();
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return false;
    throw error;
  }
};

/** Deepest folder that is walked, so that no tree can exhaust the stack. */
const MAX_DEPTH = 32;

export interface FoundFile {
  /** Relative to the walked folder, with forward slashes. */
  readonly name: string;
  readonly path: string;
  readonly isLink: boolean;
}

/** Files under `folder`, sorted by name by code point; names with a leading dot and linked folders are left out. */
export const walkFiles = async (folder: string, prefix = '', depth = 0): Promise<FoundFile[]> => {
  const found: FoundFile[] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith('.')) continue;
    const at = path.join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) found.push(...(await walkFiles(at, `${name}/`, depth + 1)));
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      found.push({ name, path: at, isLink: entry.isSymbolicLink() });
    }
  }
  return depth > 0 ? found : found.sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** Entries of a folder; none where there is no folder. */
export const entriesOf = async (folder: string): Promise<Dirent[]> => {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
};
