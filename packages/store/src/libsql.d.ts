/** What may be bound; booleans become 0 and 1. */
export type SqlValue = string | number | boolean | null;
export type Row = Readonly<Record<string, string | number | null>>;
/** What a statement did: the rows it gave, and how many it changed (for a reader: how many it gave). */
export interface Answer {
  readonly rows: readonly Row[];
  readonly changes: number;
}
/** One connection; every call blocks its thread. */
export interface Connection {
  /** Runs one statement of fixed text, which is prepared once. Throws `SqliteFailure` or `TypeError`. */
  run(sql: string, params?: readonly SqlValue[]): Answer;
  /** Runs statements without parameters: transaction control and schema. Throws `SqliteFailure`. */
  exec(sql: string): void;
  /** False too after SQLite rolled back by itself, as it may on a full disk. */
  readonly inTransaction: boolean;
  close(): void;
}
/**
 * Opens a database file (created where absent, its folder must exist). The only door to libsql, whose traps end here:
 * `busyTimeoutMs` blocks the calling thread, its `readonly` option is ignored (so there is none), `get()` adds
 * `_metadata` and leaves the statement open (so there is only `all`), `backup()` is not implemented (`VACUUM INTO` is).
 * A connection that nothing refers to is closed by the garbage collector: keep it in a variable that lives.
 */
export declare const openSqlite: (
  file: string,
  options: {
    readonly busyTimeoutMs: number;
  },
) => Connection;
