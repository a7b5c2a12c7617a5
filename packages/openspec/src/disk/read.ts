import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { isInside } from '../project.ts';
import { errnoOf } from './disk.ts';

/** Largest file that is read: far above any document a person writes, far below what hurts the process. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Text of a file that lies inside `boundary`, also after every link is followed; undefined where there is none.
 * @throws FORBIDDEN for a link that leads out and for a hard link, PAYLOAD_TOO_LARGE above 4 MiB, CHANGE_INVALID where it is not UTF-8
 */
export const readInside = async (boundary: string, file: string): Promise<string | undefined> => {
  const handle = await openInside(boundary, file);
  if (handle === undefined) return undefined;
  await using opened = handle;
  const { size } = await opened.stat();
  if (size > MAX_FILE_BYTES) {
    throw new CloutError('PAYLOAD_TOO_LARGE', `${path.basename(file)} is larger than ${MAX_FILE_BYTES} bytes`);
  }
  const bytes = await opened.readFile();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CloutError('CHANGE_INVALID', `${path.basename(file)} is not UTF-8 text`, { cause });
  }
};

const openInside = async (boundary: string, file: string): Promise<FileHandle | undefined> => {
  try {
    const [outer, real] = await Promise.all([realpath(boundary), realpath(file)]);
    assertInside(outer, real, file);
    // Non-blocking, so that a named pipe cannot hold the process; no link, for `real` has none left.
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // A folder on the way may have become a link since: the kernel knows where the open file really is.
      if (process.platform === 'linux') assertInside(outer, await readlink(`/proc/self/fd/${handle.fd}`), file);
      const found = await handle.stat();
      // A second name may lie anywhere: a secret of somebody else's folder would be read as if it were ours.
      if (found.isFile() && found.nlink > 1) throw hardLink(file);
      if (found.isFile()) return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined;
    if (errnoOf(error) === 'ELOOP') throw outside(file, error);
    throw error;
  }
};

const assertInside = (outer: string, real: string, file: string): void => {
  if (!isInside(outer, real)) throw outside(file);
};

const outside = (file: string, cause?: unknown): CloutError =>
  new CloutError('FORBIDDEN', `${path.basename(file)} is a link that leads out of the openspec folder`, {
    hint: 'Replace the link by the file itself',
    cause,
  });

const hardLink = (file: string): CloutError =>
  new CloutError(
    'FORBIDDEN',
    `${path.basename(file)} has a second name (a hard link), perhaps outside of this folder`,
    {
      hint: 'Replace it by a copy of its own: cp FILE COPY && mv COPY FILE',
    },
  );

/**
 * Will something written at `target` land inside `boundary`? Looks at the nearest folder that exists.
 * @throws FORBIDDEN where a link on the way leads out
 */
export const assertWritesInside = async (boundary: string, target: string): Promise<void> => {
  try {
    assertInside(await realpath(boundary), await realpath(target), target);
  } catch (error) {
    if (!ABSENT.has(errnoOf(error) ?? '') || path.dirname(target) === target) throw error;
    // A link to nowhere is a way out as soon as somebody makes its target.
    if (await isLink(target)) throw outside(target);
    if (target !== boundary) await assertWritesInside(boundary, path.dirname(target));
  }
};

const isLink = async (target: string): Promise<boolean> => {
  try {
    return (await lstat(target)).isSymbolicLink();
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
export const entriesOf = async (folder: string) => {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
};
