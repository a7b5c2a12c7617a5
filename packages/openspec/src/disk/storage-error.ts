import { CloutError, type ErrorCode } from '@cloutagent/contract';
import { errnoOf } from './errno.ts';

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
