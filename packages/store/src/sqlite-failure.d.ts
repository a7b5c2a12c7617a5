/** An error of SQLite itself; `code` such as `SQLITE_FULL` or `SQLITE_CONSTRAINT_UNIQUE`. */
export declare class SqliteFailure extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause: unknown);
}
/** An error as libsql throws it → one with a name that can be matched. */
export declare const toSqliteFailure: (error: Error) => SqliteFailure;
