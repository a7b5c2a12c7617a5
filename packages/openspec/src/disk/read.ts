import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  type Dirent,
} from 'node:fs';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { isInside } from './inside.ts';
import { errnoOf } from './errno.ts';
import { outside, readNow } from './read-now.ts';

const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Text of a file that lies inside `boundary`, also after every link is followed; undefined where there is none.
 * @throws what `readNow` throws
 */
export const readInside = (boundary: string, file: string): string | undefined => {
  const real = realOf(boundary);
  return real === undefined ? undefined : readNow(real, file)?.text;
};

/** The same where most often nothing is there: to ask first costs a fifth of the error that tells so. */
export const readPerhaps = (boundary: string, file: string): string | undefined => {
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  } catch {
    // What is wrong there is said by whoever reads it.
  }
  return readInside(boundary, file);
};

/** Answers of this turn of the event loop: one operation asks for the same folder at every file that it reads. */
const known = new Map<string, string>();

/**
 * Where the openspec folder really is; undefined where there is none.
 * @throws FORBIDDEN where somebody made a link of it that leads out of the project
 */
export const realOf = (openspecDir: string): string | undefined => {
  try {
    const before = known.get(openspecDir);
    if (before !== undefined) return before;
    const real = realpathSync.native(openspecDir);
    // A path that is real has no link on the way: it is where it says.
    if (real !== openspecDir) assertInside(realpathSync.native(path.dirname(openspecDir)), real, openspecDir);
    if (known.size === 0) setImmediate(() => known.clear());
    known.set(openspecDir, real);
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
export const assertWritesInside = (boundary: string, target: string): void => {
  try {
    // Most targets are new: to ask first costs a tenth of the error that tells so.
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined && target !== boundary) {
      assertWritesInside(boundary, path.dirname(target));
      return;
    }
    assertInside(realOf(boundary) ?? boundary, realpathSync.native(target), target);
  } catch (error) {
    if (!ABSENT.has(errnoOf(error) ?? '') || path.dirname(target) === target) throw error;
    // A link to nowhere is a way out as soon as somebody makes its target.
    if (isLink(target)) throw outside(target);
    if (target !== boundary) assertWritesInside(boundary, path.dirname(target));
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
/** A change of a person has some dozens; as many as this are listed in 50 ms. */
const MAX_FILES = 10_000;

export interface FoundFile {
  /** Relative to the walked folder, with forward slashes. */
  readonly name: string;
  readonly path: string;
  readonly isLink: boolean;
}

/**
 * Files under `folder`, sorted by name by code point; names with a leading dot and linked folders are left out.
 * @throws FORBIDDEN where `folder` is a link that leads out of `boundary`, PAYLOAD_TOO_LARGE for too many files
 */
export const walkFiles = (boundary: string, folder: string): FoundFile[] => {
  const found: FoundFile[] = [];
  walk(realOf(boundary) ?? boundary, { folder, prefix: '', depth: 0 }, found);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
};

const walk = (
  real: string,
  { folder, prefix, depth }: { folder: string; prefix: string; depth: number },
  found: FoundFile[],
): void => {
  for (const entry of entriesInside(real, folder)) {
    if (entry.name.startsWith('.')) continue;
    const at = path.join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) walk(real, { folder: at, prefix: `${name}/`, depth: depth + 1 }, found);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      found.push({ name, path: at, isLink: entry.isSymbolicLink() });
    }
    if (found.length > MAX_FILES) {
      throw new CloutError('PAYLOAD_TOO_LARGE', `A folder of this change holds more than ${MAX_FILES} files`);
    }
  }
};

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_DIRECTORY ?? 0);

/**
 * Held open while it is read: a folder that is swapped for a link meanwhile gives away no name of elsewhere. `real` is the
 * real path of the openspec folder. @throws FORBIDDEN
 */
export const entriesInside = (real: string, folder: string): Dirent[] => {
  if (process.platform !== 'linux') return entriesOf(folder);
  let opened: number | undefined;
  try {
    opened = openSync(folder, FOLDER_FLAGS);
    const held = `/proc/self/fd/${opened}`;
    assertInside(real, readlinkSync(held), folder);
    return readdirSync(held, { withFileTypes: true });
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return [];
    throw error;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
};

/** Entries of a folder; none where there is no folder. */
export const entriesOf = (folder: string): Dirent[] => {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
};

/** Names of what is in a folder; none where there is no folder. */
export const namesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
};
