import { CloutError, codeOf } from '@cloutagent/contract';
import { SqliteFailure } from './sqlite-failure.js';
const SQLITE_CODES = [
  ['SQLITE_FULL', 'STORAGE_FULL', 'The disk that holds the database is full; nothing of this was stored'],
  ['SQLITE_READONLY', 'STORAGE_READONLY', 'The database cannot be written'],
  ['SQLITE_CANTOPEN', 'STORAGE_READONLY', 'The database cannot be opened or created'],
  ['SQLITE_PERM', 'STORAGE_READONLY', 'The database cannot be opened'],
  ['SQLITE_AUTH', 'STORAGE_READONLY', 'The database cannot be opened'],
  ['SQLITE_BUSY', 'STORAGE_BUSY', 'Another program holds the database'],
  ['SQLITE_LOCKED', 'STORAGE_BUSY', 'Another program holds the database'],
  ['SQLITE_CORRUPT', 'STORAGE_CORRUPT', 'The database is damaged'],
  ['SQLITE_NOTADB', 'STORAGE_CORRUPT', 'The database file is not a database'],
  ['SQLITE_IOERR', 'STORAGE_FAILED', 'The database could not be read or written'],
  ['SQLITE_NOMEM', 'STORAGE_FAILED', 'There is not enough memory for the database'],
];
/** Of making folders beside the database. */
const SYSTEM_CODES = {
  EACCES: ['STORAGE_READONLY', 'The data folder cannot be written'],
  EPERM: ['STORAGE_READONLY', 'The data folder cannot be written'],
  EROFS: ['STORAGE_READONLY', 'The data folder cannot be written'],
  EEXIST: ['STORAGE_READONLY', 'The data folder is a file'],
  ENOTDIR: ['STORAGE_READONLY', 'The data folder is inside of a file'],
  ENOSPC: ['STORAGE_FULL', 'The disk that holds the data folder is full'],
  EDQUOT: ['STORAGE_FULL', 'The disk that holds the data folder is full'],
};
/** Any thrown value of the storage → the code that a caller may see; what SQLite said goes to `details`. */
export const toFailure = (error) => {
  const known = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (known !== undefined) {
    const details = error instanceof CloutError ? error.details : undefined;
    return { code: known, message, ...(details === undefined ? {} : { details }) };
  }
  if (error instanceof SqliteFailure) {
    const details = { sqlite: error.code, reason: message };
    const row = SQLITE_CODES.find(([prefix]) => error.code.startsWith(prefix));
    if (row !== undefined) return { code: row[1], message: row[2], details };
    return { code: 'INTERNAL_ERROR', message: 'The database refused a statement', details };
  }
  const system = error instanceof Error && 'code' in error ? SYSTEM_CODES[String(error.code)] : undefined;
  if (system !== undefined) return { code: system[0], message: system[1], details: { reason: message } };
  return { code: 'INTERNAL_ERROR', message: `The storage refused a value: ${message}` };
};
export const fromFailure = (failure, cause) =>
  new CloutError(failure.code, failure.message, {
    ...(failure.details === undefined ? {} : { details: failure.details }),
    ...(cause === undefined ? {} : { cause }),
  });
//# sourceMappingURL=failure.js.map
