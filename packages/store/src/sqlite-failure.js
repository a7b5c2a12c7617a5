/** An error of SQLite itself; `code` such as `SQLITE_FULL` or `SQLITE_CONSTRAINT_UNIQUE`. */
export class SqliteFailure extends Error {
  code;
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = 'SqliteFailure';
    this.code = code;
  }
}
/** Names of SQLite's primary codes, for the extended ones that libsql has no name for. */
const PRIMARY_CODES = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  19: 'SQLITE_CONSTRAINT',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};
/** An error as libsql throws it → one with a name that can be matched. */
export const toSqliteFailure = (error) => new SqliteFailure(codeName(error), error.message, error);
const codeName = (error) => {
  // An error of opening has an empty code, and SQLite's number only in its text.
  if (error.message.startsWith('ConnectionFailed')) return 'SQLITE_CANTOPEN';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('SQLITE_')) return code;
  const raw = 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : 1;
  return PRIMARY_CODES[raw & 0xff] ?? 'SQLITE_ERROR';
};
//# sourceMappingURL=sqlite-failure.js.map
