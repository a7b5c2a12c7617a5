import { lstatSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { RECEIPT_FILE, slugIn, slugOfArchived } from '../archived.ts';
import { errnoOf } from '../disk/errno.ts';
import { entriesInside, realOf } from '../disk/read.ts';
import { archiveDir, changesDir, type Project } from '../project.ts';
import { isChangeName } from '../slug.ts';
import { readLenient } from './lenient.ts';
import type { Spot } from './listing.ts';

/** Entries of `changes` that may be changes: folders, and links, which are judged when they are read. */
export const activeEntries = (project: Project): string[] =>
  entriesAt(project, changesDir(project))
    .filter((entry) => isChangeName(entry.name) && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name);

export const activeSpot = (project: Project, entry: string): Spot | undefined =>
  isChangeName(entry)
    ? { name: entry, key: entry, folder: path.join(changesDir(project), entry), status: 'draft' }
    : undefined;

export const archivedEntries = (project: Project): string[] =>
  entriesAt(project, archiveDir(project))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);

/** The receipt says which slug it was; archives of other tools say it in their name. */
export const archivedSpot = (project: Project, boundary: string, entry: string): Spot | undefined => {
  const folder = path.join(archiveDir(project), entry);
  if (entry.startsWith('.') || !isFolder(folder)) return undefined;
  const receipt = parse(readLenient(boundary, path.join(folder, RECEIPT_FILE))?.text);
  return {
    name: slugIn(receipt) ?? slugOfArchived(entry),
    key: `archive/${entry}`,
    folder,
    status: 'archived',
  };
};

const entriesAt = (project: Project, folder: string): Dirent[] => {
  const real = realOf(project.openspecDir);
  return real === undefined ? [] : entriesInside(real, folder);
};

const isFolder = (folder: string): boolean => {
  try {
    return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'EACCES') return false;
    throw error;
  }
};

const parse = (text: string | undefined): object | undefined => {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    // Archives made by hand or by other tools may hold anything under this name.
    return undefined;
  }
};
