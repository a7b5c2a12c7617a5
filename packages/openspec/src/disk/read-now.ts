import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { decodedText } from './decoded.ts';
import { isInside } from './inside.ts';
import { readFailure } from './storage-error.ts';
import { errnoOf } from './errno.ts';

/** Largest file that is read: far above any document a person writes, far below what hurts the process. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENXIO']);

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
 * Text of a file that lies inside `boundary`, a real path, also after every link is followed; undefined where there is
 * none. It does not wait: the system answers in 15 µs, a thread pool in 300, and documents are small.
 * @throws FORBIDDEN for a link that leads out and for a hard link, PAYLOAD_TOO_LARGE above 4 MiB, CHANGE_INVALID where it is not UTF-8,
 * STORAGE_FAILED where the disk fails
 */
export const readNow = (boundary: string, file: string, atMost = MAX_FILE_BYTES): ReadNow | undefined => {
  let opened: number | undefined;
  try {
    opened = openSync(IS_LINUX ? file : realpathSync.native(file), FLAGS);
    const found = fstatSync(opened);
    // The kernel knows where the open file really is, whatever became of the folders on the way.
    const real = IS_LINUX ? readlinkSync(`/proc/self/fd/${opened}`) : realpathSync.native(file);
    if (!isInside(boundary, real)) throw outside(file);
    if (!found.isFile()) return undefined;
    // A second name may lie anywhere: a secret of somebody else's folder would be read as if it were ours.
    if (found.nlink > 1) throw hardLink(file);
    if (found.size > MAX_FILE_BYTES) {
      throw new CloutError('PAYLOAD_TOO_LARGE', `${path.basename(file)} is larger than ${MAX_FILE_BYTES} bytes`);
    }
    const bytes = readUpTo(opened, Math.min(found.size, atMost));
    const isWhole = bytes.length >= found.size;
    const text = decodedText(real, isWhole ? bytes : bytes.subarray(0, lastLineEnd(bytes)));
    if (text === undefined)
      throw new CloutError('CHANGE_INVALID', `${path.basename(file)} is not UTF-8 text`, {
        hint: 'Save it as UTF-8',
      });
    return { text, isWhole, isLinked: real !== file };
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined;
    if (errnoOf(error) === 'ELOOP') throw outside(file, error);
    throw readFailure(error) ?? error;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
};

const IS_LINUX = process.platform === 'linux';

/**
 * Non-blocking, so that a named pipe cannot hold the process. Where the kernel does not tell what was opened, the path
 * is resolved before, and a link in its place is somebody's trick.
 */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | (IS_LINUX ? 0 : constants.O_NOFOLLOW);

/** A file that grows meanwhile is read up to the size that was looked at. */
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

export const outside = (file: string, cause?: unknown): CloutError =>
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
