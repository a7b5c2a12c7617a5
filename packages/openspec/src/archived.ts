import path from 'node:path';
import { entriesOf, readInside } from './disk/read.ts';
import { archiveDir, type Project } from './project.ts';

export const RECEIPT_FILE = 'receipt.json';
/** Beside the receipt: how to take an archive back, byte for byte. */
export const UNDO_FILE = '.undo.json';

/** `2026-11-21-add-login` → `add-login`. */
export const slugOfArchived = (name: string): string => name.replace(/^\d{4}-\d{2}-\d{2}-(?=.)/u, '');

/** Folders in the archive that hold a change of this slug, oldest first. The receipt decides where there is one. */
export const archivedAs = (project: Project, slug: string): string[] => {
  const found: string[] = [];
  for (const name of archivedNames(project)) {
    const bare = slugOfArchived(name);
    const isExact = name === slug || bare === slug;
    // A second archive of one slug on one day carries `-2`, `-3`, …
    if (!isExact && !(bare.startsWith(`${slug}-`) && /^\d{1,4}$/u.test(bare.slice(slug.length + 1)))) continue;
    const recorded = slugIn(readReceipt(project, name));
    if (recorded === undefined ? isExact : recorded === slug) found.push(name);
  }
  return found;
};

export const archivedNames = (project: Project): string[] =>
  entriesOf(archiveDir(project))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();

/** The receipt as it is on disk; undefined where there is none or it cannot be read. */
export const readReceipt = (project: Project, archived: string): object | undefined => {
  try {
    const text = readInside(project.openspecDir, path.join(archiveDir(project), archived, RECEIPT_FILE));
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    // Archives made by hand or by other tools may hold anything under this name.
    return undefined;
  }
};

export const slugIn = (receipt: object | undefined): string | undefined =>
  receipt !== undefined && 'slug' in receipt && typeof receipt.slug === 'string' ? receipt.slug : undefined;
