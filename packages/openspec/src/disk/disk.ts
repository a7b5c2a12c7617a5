import {
  closeSync,
  fsync as fsyncCallback,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CloutError, type ErrorCode } from '@cloutagent/contract';

/** Every way in which this package changes files. Tests pass one that fails or stops at the Nth call. */
export interface Disk {
  /** One level; fails with EEXIST where something is there. */
  mkdir(path: string): Promise<void>;
  /** A new file with `data`, synced; fails with EEXIST where something is there. */
  create(path: string, data: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole folder; nothing happens where nothing is there. */
  remove(path: string): Promise<void>;
  /** An empty folder; fails with ENOTEMPTY where something is in it. */
  removeEmpty(folder: string): Promise<void>;
  /** Makes the entries of a folder durable. */
  sync(folder: string): Promise<void>;
}

/**
 * Only the wait for the disk itself leaves the thread: everything else is a word with the system's cache of folders,
 * a few microseconds each, where a thread pool costs fifty.
 */
export const nodeDisk: Disk = {
  mkdir: async (path) => mkdirSync(path),
  create: async (path, data) => {
    const file = openSync(path, 'wx', 0o644);
    try {
      writeFileSync(file, data, 'utf8');
      await fsync(file);
    } finally {
      closeSync(file);
    }
  },
  link: async (existing, path) => linkSync(existing, path),
  rename: async (from, to) => renameSync(from, to),
  remove: async (path) => {
    try {
      unlinkSync(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      // A folder may be large, so it goes bit by bit. Systems name it in different ways.
      if (!['EISDIR', 'EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) throw error;
      await rm(path, { recursive: true, force: true });
    }
  },
  removeEmpty: async (folder) => rmdirSync(folder),
  sync: async (folder) => {
    // Windows cannot open a folder; NTFS journals its entries itself.
    if (process.platform === 'win32') return;
    const opened = openSync(folder, 'r');
    try {
      await fsync(opened);
    } finally {
      closeSync(opened);
    }
  },
};

const fsync = promisify(fsyncCallback);

const STORAGE: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOSPC', 'STORAGE_FULL'],
  ['EDQUOT', 'STORAGE_FULL'],
  ['EROFS', 'STORAGE_READONLY'],
  ['EACCES', 'STORAGE_READONLY'],
  ['EPERM', 'STORAGE_READONLY'],
  ['EIO', 'STORAGE_FAILED'],
  ['EMFILE', 'STORAGE_FAILED'],
  ['ENFILE', 'STORAGE_FAILED'],
]);

const REASONS: Partial<Record<ErrorCode, string>> = {
  STORAGE_FULL: 'No space is left',
  STORAGE_READONLY: 'The folder cannot be written',
  STORAGE_FAILED: 'The disk or the system refused',
};

/** Code of a Node file error, such as `ENOENT`; undefined for anything else. */
export const errnoOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return NAMELESS.get(error.code) ?? error.code;
};

/** Node has no name for a full quota: Linux says 122, macOS 69. */
const NAMELESS: ReadonlyMap<string, string> = new Map([
  ['Unknown system error -122', 'EDQUOT'],
  ['Unknown system error -69', 'EDQUOT'],
]);

/** Runs `work` and gives what the disk refuses its stable code: `STORAGE_FULL`, `STORAGE_READONLY` or `STORAGE_FAILED`. */
export const withStorageErrors = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    const errno = errnoOf(cause) ?? '';
    const code = STORAGE.get(errno);
    if (code === undefined) throw cause;
    // What was begun is finished or taken back by the next operation, from the journal.
    throw new CloutError(code, `${REASONS[code] ?? code} (${errno}); nothing was lost`, {
      cause,
      details: { errno },
    });
  }
};

/** What a disk that fails, or a process without free descriptors, says when it reads; undefined for any other error. */
export const readFailure = (cause: unknown): CloutError | undefined => {
  const errno = errnoOf(cause) ?? '';
  if (STORAGE.get(errno) !== 'STORAGE_FAILED') return undefined;
  return new CloutError('STORAGE_FAILED', `A file cannot be read (${errno})`, { cause, details: { errno } });
};
