import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { diskWithin, type Disk, type OpenDisk } from './disk/disk.ts';
import { syncOf } from './disk/sync.ts';
import { errnoOf } from './disk/errno.ts';
import { isInside } from './disk/inside.ts';
import type { Listing } from './listing/listing.ts';

/** Who acts on the files: the name for leases, and what proved it: a token, or the user of this machine. */
export interface Caller {
  readonly caller: string;
  readonly tokenId?: string;
}

export interface ProjectDeps extends Caller {
  readonly clock: Clock;
  readonly disk?: OpenDisk;
}

export interface Project extends Caller {
  readonly root: string;
  readonly openspecDir: string;
  readonly clock: Clock;
  readonly disk: OpenDisk;
  /** Where listings look; the files themselves where there is none. */
  readonly listing?: Listing;
}

/** The project in the hands of the one operation that may change its files. */
export interface HeldProject extends Project {
  readonly writes: Disk;
}

/**
 * Opens the project at `root`, which is its root folder or the `openspec` folder inside; a missing `openspec` is made
 * by the first change.
 * @throws PROJECT_NOT_FOUND where there is no folder, or where `openspec` is a link that leads out of the project
 */
export const openProject = async (root: string, deps: ProjectDeps): Promise<Project> => {
  const given = path.resolve(root);
  if (!(await isFolder(given))) throw new CloutError('PROJECT_NOT_FOUND', `There is no folder ${given}`);
  const folder = (await isOpenspecFolder(given)) ? path.dirname(given) : given;
  const openspecDir = path.join(folder, 'openspec');
  if (await isFolder(openspecDir)) {
    const [outer, inner] = await Promise.all([realpath(folder), realpath(openspecDir)]);
    if (!isInside(outer, inner)) {
      throw new CloutError('PROJECT_NOT_FOUND', 'The openspec folder is a link that leads out of the project');
    }
  }
  const sync = syncOf(deps.clock);
  return {
    root: folder,
    openspecDir,
    clock: deps.clock,
    disk: deps.disk ?? ((folder) => diskWithin(folder, sync)),
    caller: deps.caller,
    // Without a token it is the user of this machine who proves the caller, on every surface alike.
    tokenId: deps.tokenId ?? `user:${deps.caller}`,
  };
};

/** The same project in the hands of another caller. */
export const withCaller = (project: Project, { caller, tokenId }: Caller): Project => {
  const { root, openspecDir, clock, disk, listing } = project;
  return {
    root,
    openspecDir,
    clock,
    disk,
    caller,
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(listing === undefined ? {} : { listing }),
  };
};

const isOpenspecFolder = async (folder: string): Promise<boolean> => {
  if (path.basename(folder) !== 'openspec' || (await isFolder(path.join(folder, 'openspec')))) return false;
  return (await isFolder(path.join(folder, 'changes'))) || (await isFolder(path.join(folder, 'specs')));
};

const isFolder = async (folder: string): Promise<boolean> => {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

// Put together, not joined: what is joined is looked through for dots and double signs, and these are asked for often.
export const changesDir = ({ openspecDir }: Project): string => `${openspecDir}${path.sep}changes`;
export const archiveDir = (project: Project): string => `${changesDir(project)}${path.sep}archive`;
export const specsDir = ({ openspecDir }: Project): string => `${openspecDir}${path.sep}specs`;
/**
 * Our own folder beside OpenSpec's, which skips names with a dot: lock, staging, journal with the one file that every intent is
 * written into (`spare`), quarantine.
 */
export const workDir = (
  { openspecDir }: Project,
  part: 'lock' | 'staging' | 'journal' | 'spare' | 'quarantine',
): string => `${openspecDir}${path.sep}.task-mcp${path.sep}${part}`;

/** Path for people and receipts: relative to the project's root, with forward slashes. */
export const shownPath = (project: Project, file: string): string =>
  (file.startsWith(`${project.root}${path.sep}`)
    ? file.slice(project.root.length + 1)
    : path.relative(project.root, file)
  )
    .split(path.sep)
    .join('/');
