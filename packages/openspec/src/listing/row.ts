import { lstatSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { toIso } from '@cloutagent/kit';
import type { ChangeSummary } from '@cloutagent/contract';
import { titleOf } from '../change.ts';
import { errnoOf } from '../disk/errno.ts';
import { readLenient } from './lenient.ts';
import { META_FILE, parseMeta, type Meta } from '../meta.ts';
import { isInside } from '../disk/inside.ts';
import { shortcomings, warningsIn } from '../shortcomings.ts';
import { countTasks } from '../tasks.ts';
import { trackedNames, trackPattern } from '../tracks.ts';
import type { Listed, Spot } from './listing.ts';

export interface Row extends Listed {
  readonly summary: ChangeSummary;
  /** Every folder and file that was looked at. */
  readonly paths: readonly string[];
  /** Does a link lead to some of it? Then no watch on its folders sees every edit. */
  readonly isLinked: boolean;
}

/** What the order and the filters need, and no more: `.openspec.yaml`. Undefined for a folder that is gone. */
export const readListed = (boundary: string, spot: Spot): Listed | undefined => {
  const own = lookAt(boundary, spot.folder);
  return own === undefined ? undefined : listedOf(spot, own, metaOf(boundary, spot.folder));
};

/**
 * Everything that a listing shows of one change. `onFolder` hears of each folder before it is read.
 * Undefined for a folder that is gone, or went while it was being read.
 */
export const readRow = (boundary: string, spot: Spot, onFolder: (folder: string) => void = ignore): Row | undefined => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const own = lookAt(boundary, spot.folder);
    if (own === undefined) return undefined;
    const row = readOnce(boundary, spot, own, onFolder);
    // A folder that was archived, or replaced by a new change of this name, would be shown as a mixture.
    const after = lookAt(boundary, spot.folder);
    if (after === undefined) return undefined;
    if (row !== undefined && after.ino === own.ino && after.birthtimeMs === own.birthtimeMs) return row;
  }
  return undefined;
};

const ignore = (): void => undefined;

const readOnce = (boundary: string, spot: Spot, own: Stats, onFolder: (folder: string) => void): Row | undefined => {
  const walked: Walked = {
    paths: [],
    updated: 0,
    isLinked: lstatOf(spot.folder)?.isSymbolicLink() === true,
  };
  walk(spot.folder, 0, walked, onFolder);
  const failed = new Set<string>();
  const read = (name: string, atMost?: number): ReturnType<typeof readLenient> => {
    const found = readLenient(boundary, path.join(spot.folder, name), atMost);
    if (found?.isLinked === true) walked.isLinked = true;
    if (found === undefined) failed.add(name);
    return found;
  };
  const meta = parseMeta(read(META_FILE)?.text);
  const listed = listedOf(spot, own, meta);
  const title = titleOf({
    name: spot.name,
    meta,
    proposal: meta.title === undefined ? headOf(read) : undefined,
  });
  const names = walked.paths.map((file) =>
    file
      .slice(spot.folder.length + 1)
      .split(path.sep)
      .join('/'),
  );
  const pattern = trackPattern(boundary, meta.schema);
  const tracked = trackedNames(names, pattern).flatMap((name) => read(name)?.text ?? []);
  const unread = [...failed].filter((name) => names.includes(name));
  const updated = Math.floor(walked.updated === 0 ? own.mtimeMs : walked.updated);
  return {
    ...listed,
    paths: walked.paths,
    summary: {
      slug: spot.name,
      title,
      status: spot.status,
      ...(listed.template === undefined ? {} : { template: listed.template }),
      ...(listed.owner === undefined ? {} : { owner: listed.owner }),
      createdAt: toIso(listed.createdAt),
      updatedAt: toIso(updated),
      tasks: countTasks(tracked),
      paths: {
        root: spot.folder,
        proposal: path.join(spot.folder, 'proposal.md'),
        tasks: path.join(spot.folder, 'tasks.md'),
      },
      // An archive is history: nobody can mend it.
      ...(spot.status === 'archived'
        ? {}
        : warningsIn(shortcomings({ meta, unread, tasks: { pattern, files: tracked.length } }))),
    },
    isLinked: walked.isLinked,
  };
};

const listedOf = (spot: Spot, own: Stats, meta: Meta): Listed => ({
  ...spot,
  createdAt:
    meta.opened === undefined
      ? Math.floor(own.birthtimeMs > 0 ? own.birthtimeMs : own.mtimeMs)
      : Date.parse(meta.opened),
  template: meta.template,
  owner: meta.owner ?? meta.lease?.owner,
});

const metaOf = (boundary: string, folder: string): Meta =>
  parseMeta(readLenient(boundary, path.join(folder, META_FILE))?.text);

/** The first heading stands at the top in every proposal that a person writes. */
const HEAD_BYTES = 4096;

const headOf = (read: (name: string, atMost?: number) => ReturnType<typeof readLenient>): string | undefined => {
  const head = read('proposal.md', HEAD_BYTES);
  return head === undefined || head.isWhole || /^\uFEFF?#[ \t]+\S/mu.test(head.text)
    ? head?.text
    : read('proposal.md')?.text;
};

/** The folder itself; undefined where there is none, or only a link that leads out. */
const lookAt = (boundary: string, folder: string): Stats | undefined => {
  const own = lstatOf(folder);
  if (own === undefined || own.isDirectory()) return own;
  if (!own.isSymbolicLink()) return undefined;
  try {
    const real = realpathSync.native(folder);
    return isInside(boundary, real) && statSync(real).isDirectory() ? own : undefined;
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
};

const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES']);

interface Walked {
  readonly paths: string[];
  updated: number;
  isLinked: boolean;
}

/** Deepest folder, and most files of one change, that are looked at: no tree can hold the process. */
const MAX_DEPTH = 32;
const MAX_PATHS = 10_000;

const walk = (folder: string, depth: number, walked: Walked, onFolder: (folder: string) => void): void => {
  onFolder(folder);
  walked.paths.push(folder);
  for (const entry of entriesNow(folder)) {
    if (entry.name.startsWith('.') && (depth > 0 || entry.name !== META_FILE)) continue;
    if (walked.paths.length >= MAX_PATHS) return;
    const at = `${folder}${path.sep}${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) walk(at, depth + 1, walked, onFolder);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      walked.paths.push(at);
      const found = lstatOf(at);
      walked.updated = Math.max(walked.updated, found?.mtimeMs ?? 0);
      if (found?.isSymbolicLink() === true) walked.isLinked = true;
    }
  }
};

/** Entries of a folder; none where there is no folder, or none that we may see. */
export const entriesNow = (folder: string): ReturnType<typeof readEntries> => {
  try {
    return readEntries(folder);
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
};

const readEntries = (folder: string) => readdirSync(folder, { withFileTypes: true });

const lstatOf = (target: string): Stats | undefined => {
  try {
    return lstatSync(target, { throwIfNoEntry: false });
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
};
