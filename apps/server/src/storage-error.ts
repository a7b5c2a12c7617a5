import { CloutError, codeOf, type ErrorCode } from '@cloutagent/contract';

const CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  EACCES: ['STORAGE_READONLY', 'may not be read or written'],
  EPERM: ['STORAGE_READONLY', 'may not be read or written'],
  EROFS: ['STORAGE_READONLY', 'may not be read or written'],
  EEXIST: ['STORAGE_READONLY', 'is a file where a folder is needed'],
  ENOTDIR: ['STORAGE_READONLY', 'is inside of a file'],
  EISDIR: ['STORAGE_READONLY', 'holds a folder where a file is needed'],
  ENOSPC: ['STORAGE_FULL', 'is on a full disk'],
  EDQUOT: ['STORAGE_FULL', 'is on a full disk'],
};

/** What the system said of writing to `folder` → an error that a caller may see; anything else stays as it is. */
export const toStorageError = (error: unknown, folder: string): unknown => {
  const name = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = Object.hasOwn(CODES, name) ? CODES[name] : undefined;
  if (known === undefined || codeOf(error) !== undefined) return error;
  return new CloutError(known[0], `${folder} ${known[1]}`, { details: { reason: name }, cause: error });
};

/** Runs `work`, which writes to `folder`. Errors: STORAGE_READONLY, STORAGE_FULL, and those of `work`. */
export const onStorage = async <T>(folder: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, folder);
  }
};
