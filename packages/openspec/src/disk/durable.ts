import { randomUUID } from 'node:crypto';
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Disk } from './disk.ts';
import { errnoOf } from './errno.ts';

/** Creates a folder and its missing parents, each entry synced. Level by level: `recursive` hides EROFS behind ENOENT. */
export const ensureFolder = async (disk: Disk, folder: string): Promise<void> => {
  if (await made(disk, folder, ensureFolder)) await disk.sync(path.dirname(folder));
};

/**
 * The same for a folder whose entry needs no sync, because after a power loss nothing in it matters. True where it was
 * made now.
 */
export const ensureOwnFolder = async (disk: Disk, folder: string): Promise<boolean> =>
  made(disk, folder, ensureOwnFolder);

const made = async (
  disk: Disk,
  folder: string,
  ensureParent: (disk: Disk, folder: string) => Promise<unknown>,
): Promise<boolean> => {
  if (isFolder(folder)) return false;
  await ensureParent(disk, path.dirname(folder));
  try {
    await disk.mkdir(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !isFolder(folder)) throw error;
  }
  return true;
};

export const isFolder = (folder: string): boolean => {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

/** Is anything at all at `target`, a link to nowhere too? */
export const isThere = (target: string): boolean => {
  try {
    return lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

/** Replaces or creates a file in one step: readers see the whole old or the whole new one, also after a power cut. */
export const replaceFile = async (disk: Disk, staging: string, file: string, text: string): Promise<void> =>
  syncAll(disk, await placeFiles(disk, staging, new Map([[file, text]])));

/** Puts several files in their places, each in one step; gives the folders that are to be synced. */
export const placeFiles = async (
  disk: Disk,
  staging: string,
  files: ReadonlyMap<string, string>,
): Promise<Set<string>> => {
  await ensureOwnFolder(disk, staging);
  const staged = Array.from(files, ([file, text]): Staged => ({ file, text, at: path.join(staging, randomUUID()) }));
  try {
    await allOf(staged.map(async ({ at, text }) => disk.create(at, text)));
    const changed = new Set<string>();
    for (const one of staged) await place(disk, one, changed);
    return changed;
  } catch (error) {
    for (const { at } of staged) await removeQuietly(disk, at);
    throw error;
  }
};

interface Staged {
  readonly file: string;
  readonly text: string;
  readonly at: string;
}

const place = async (disk: Disk, { file, at }: Staged, changed: Set<string>): Promise<void> => {
  const folder = path.dirname(file);
  if (!changed.has(folder)) await ensureNoted(disk, folder, changed);
  await disk.rename(at, file);
  changed.add(folder);
};

const ensureNoted = async (disk: Disk, folder: string, changed: Set<string>): Promise<void> => {
  const isNew = await made(disk, folder, async (_, parent) => ensureNoted(disk, parent, changed));
  if (isNew) changed.add(path.dirname(folder));
};

export const syncAll = async (disk: Disk, folders: ReadonlySet<string>): Promise<void> =>
  allOf([...folders].map(async (folder) => disk.sync(folder)));

/** Waits for all of them, also where one fails: none goes on behind the back of whoever cleans up. */
const allOf = async (works: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(works)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
};

/**
 * Publishes a whole folder in one rename. `files` are texts by relative path.
 * @throws the rename's ENOTEMPTY, EEXIST or ENOTDIR where something stands at `target`; then nothing has changed.
 */
export const publishFolder = async (
  disk: Disk,
  staging: string,
  target: string,
  files: ReadonlyMap<string, string>,
): Promise<void> => {
  await ensureFolder(disk, path.dirname(target));
  const staged = path.join(staging, randomUUID());
  try {
    const folders = new Set([staged]);
    for (const name of files.keys()) {
      for (let at = path.join(staged, path.dirname(name)); at !== staged; at = path.dirname(at)) folders.add(at);
    }
    for (const folder of [...folders].sort()) await ensureOwnFolder(disk, folder);
    await allOf([...files].map(async ([name, text]) => disk.create(path.join(staged, name), text)));
    await syncAll(disk, folders);
    await disk.rename(staged, target);
  } catch (error) {
    await removeQuietly(disk, staged);
    throw error;
  }
  await disk.sync(path.dirname(target));
};

/** What stays behind is swept by the next operation; the first error is the one to tell. */
export const removeQuietly = async (disk: Disk, target: string): Promise<void> => {
  try {
    await disk.remove(target);
  } catch {
    /* swept later */
  }
};
