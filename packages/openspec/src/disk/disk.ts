import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { openAnchors } from './anchors.ts';
import { linkMark } from './mark.ts';
import { removeTree } from './remove.ts';
import type { Sync } from './sync.ts';

/** Every way in which this package changes files. Tests pass one that fails or stops at the Nth call. */
export interface Disk extends Disposable {
  /** One level; fails with EEXIST where something is there. */
  mkdir(path: string): Promise<void>;
  /** A new file with `data`, synced; fails with EEXIST where something is there. */
  create(path: string, data: string): Promise<void>;
  /** A file with `data`, synced, in the place of one that nobody reads; torn where the process dies meanwhile. */
  reuse(path: string, data: string): Promise<void>;
  /** A new file that need not last, nor be whole where the process dies. Fails with EEXIST. */
  note(path: string, text: string): Promise<void>;
  /** A name for a file with this text, which is whole as soon as it is there, but not synced. Fails with EEXIST. */
  mark(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole folder; nothing happens where nothing is there. */
  remove(path: string): Promise<void>;
  /** An empty folder; fails with ENOTEMPTY where something is in it. */
  removeEmpty(folder: string): Promise<void>;
  /** Makes the entries of a folder durable. */
  sync(folder: string): Promise<void>;
}

/** The disk for one operation on the files of an openspec folder, and on nothing outside of it. */
export type OpenDisk = (openspecDir: string) => Disk;

/**
 * Only the wait for the disk itself leaves the thread: everything else is a word with the system's cache of folders,
 * a few microseconds each, where a thread pool costs fifty.
 */
export const diskWithin = (openspecDir: string, sync: Sync): Disk => {
  const anchors = openAnchors(openspecDir);
  const fill = async (file: number, data: string): Promise<void> => {
    try {
      writeFileSync(file, data, 'utf8');
      await sync(file);
    } finally {
      closeSync(file);
    }
  };
  return {
    mkdir: async (path) => mkdirSync(anchors.at(path)),
    create: async (path, data) => fill(openSync(anchors.at(path), 'wx', 0o644), data),
    reuse: async (path, data) => {
      const at = anchors.at(path);
      const used = openUsed(at, Buffer.byteLength(data));
      if (used === undefined) await removeTree(at);
      await fill(used ?? openSync(at, 'wx', 0o644), data);
    },
    note: async (path, text) => writeFileSync(anchors.at(path), text, { flag: 'wx', mode: 0o644 }),
    mark: async (path, text) => linkMark(anchors, path, text),
    rename: async (from, to) => {
      renameSync(anchors.at(from), anchors.at(to));
      anchors.forget(from);
    },
    remove: async (path) => {
      await removeTree(anchors.at(path));
      anchors.forget(path);
    },
    removeEmpty: async (folder) => {
      rmdirSync(anchors.at(folder));
      anchors.forget(folder);
    },
    sync: async (folder) => {
      const opened = anchors.descriptorOf(folder);
      // NTFS journals its entries itself.
      if (opened !== undefined) await sync(opened);
    },
    [Symbol.dispose]: () => anchors[Symbol.dispose](),
  };
};

const REUSE = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** A plain file of one name that we may write, no longer than `length` bytes; undefined where there is none. */
const openUsed = (at: string, length: number): number | undefined => {
  let file: number | undefined;
  try {
    file = openSync(at, REUSE);
    const found = fstatSync(file);
    if (found.isFile() && found.nlink === 1) {
      if (found.size > length) ftruncateSync(file, length);
      return file;
    }
  } catch {
    // Then a new one is made in its place.
  }
  if (file !== undefined) closeSync(file);
  return undefined;
};
