import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { errnoOf } from './disk.ts';
import { isInside } from '../project.ts';
import { MAX_FILE_BYTES } from './read.ts';

/** What a listing shows as absent: one broken or hostile file must not hide all other changes. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENXIO']);

/** Most documents fit; a larger one gets a buffer of its own. Calls never overlap, for none of them waits. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

export interface ReadNow {
  readonly text: string;
  /** False where only the beginning was asked for and more follows. */
  readonly isWhole: boolean;
  /** Was a link followed on the way? Then no watch on the file's own folder sees its edits. */
  readonly isLinked: boolean;
}

/**
 * The same reading as `readInside`, without waiting: a listing of thousands of files costs a tenth of the CPU so.
 * `boundary` is a real path. Undefined also for a file that leads out, is too large, no UTF-8 or not ours to read.
 */
export const readNow = (boundary: string, file: string, atMost = MAX_FILE_BYTES): ReadNow | undefined => {
  let opened: number | undefined;
  try {
    // Non-blocking, so that a named pipe cannot hold the process.
    opened = openSync(process.platform === 'linux' ? file : realpathSync.native(file), FLAGS);
    const real = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${opened}`) : realpathSync.native(file);
    const { size, nlink, isFile } = statOf(opened);
    // A second name may lie anywhere, as `readInside` says.
    if (!isInside(boundary, real) || !isFile || nlink > 1 || size > MAX_FILE_BYTES) return undefined;
    const bytes = readUpTo(opened, Math.min(size, atMost));
    const isWhole = bytes.length >= size;
    const text = isWhole ? bytes : bytes.subarray(0, lastLineEnd(bytes));
    return isUtf8(text) ? { text: text.toString('utf8'), isWhole, isLinked: real !== file } : undefined;
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
};

/** Elsewhere the path was resolved before, so a link in its place is somebody's trick. */
const FLAGS =
  constants.O_RDONLY | constants.O_NONBLOCK | (process.platform === 'linux' ? 0 : (constants.O_NOFOLLOW ?? 0));

const statOf = (opened: number): { size: number; nlink: number; isFile: boolean } => {
  const found = fstatSync(opened);
  return { size: found.size, nlink: found.nlink, isFile: found.isFile() };
};

const readUpTo = (opened: number, size: number): Buffer => {
  const buffer = size > shared.length ? Buffer.allocUnsafe(size) : shared;
  let length = 0;
  while (length < size) {
    const read = readSync(opened, buffer, length, size - length, length);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
};

/** A beginning is cut at a line, so that neither a character nor a heading is halved. */
const lastLineEnd = (bytes: Buffer): number => bytes.lastIndexOf(0x0a) + 1;
