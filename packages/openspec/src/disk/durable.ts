import { randomUUID } from 'node:crypto';
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, type Disk } from './disk.ts';

/** Creates a folder and its missing parents, each entry synced. Level by level: `recursive` hides EROFS behind ENOENT. */
export const ensureFolder = async (disk: Disk, folder: string): Promise<void> => {
  if (await isFolder(folder)) return;
  const parent = path.dirname(folder);
  await ensureFolder(disk, parent);
  try {
    await disk.mkdir(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !(await isFolder(folder))) throw error;
  }
  await disk.sync(parent);
};

const isFolder = async (folder: string): Promise<boolean> => {
  try {
    return statSync(folder).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

/** Is anything at all at `target`, a link to nowhere too? */
export const isThere = async (target: string): Promise<boolean> => {
  try {
    lstatSync(target);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

/** Replaces or creates a file in one step: readers see the whole old or the whole new one, also after a power cut. */
export const replaceFile = async (disk: Disk, staging: string, file: string, text: string): Promise<void> => {
  await ensureFolder(disk, staging);
  await ensureFolder(disk, path.dirname(file));
  const staged = path.join(staging, randomUUID());
  try {
    await disk.create(staged, text);
    await disk.rename(staged, file);
  } catch (error) {
    await removeQuietly(disk, staged);
    throw error;
  }
  await disk.sync(path.dirname(file));
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
  await ensureFolder(disk, staging);
  await ensureFolder(disk, path.dirname(target));
  const staged = path.join(staging, randomUUID());
  try {
    await disk.mkdir(staged);
    const folders = new Set([staged]);
    for (const [name, text] of files) {
      const file = path.join(staged, name);
      await ensureFolder(disk, path.dirname(file));
      await disk.create(file, text);
      folders.add(path.dirname(file));
    }
    for (const folder of folders) await disk.sync(folder);
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
