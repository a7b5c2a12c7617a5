import Database from 'libsql';
import { toSqliteFailure } from './sqlite-failure.ts';

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

/** All our SQL is fixed text, far fewer than this; a caller that builds SQL from data would otherwise leak statements. */
const MAX_PREPARED = 256;

interface Prepared {
  readonly reader: boolean;
  readonly placeholders: number;
  run(params: readonly NativeValue[]): { changes: number };
  all(params: readonly NativeValue[]): readonly Readonly<Record<string, unknown>>[];
}

type NativeValue = string | bigint | null;

/**
 * Opens a database file (created where absent, its folder must exist). The only door to libsql, whose traps end here:
 * `busyTimeoutMs` blocks the calling thread, its `readonly` option is ignored (so there is none), `get()` adds
 * `_metadata` and leaves the statement open (so there is only `all`), `backup()` is not implemented (`VACUUM INTO` is).
 * A connection that nothing refers to is closed by the garbage collector: keep it in a variable that lives.
 */
export const openSqlite = (file: string, options: { readonly busyTimeoutMs: number }): Connection => {
  const database = guard(() => new Database(file, { timeout: options.busyTimeoutMs }));
  const prepared = new Map<string, Prepared>();

  const prepare = (sql: string): Prepared => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    if (/;\s*\S/u.test(sql)) throw new TypeError('only the first of several statements would run');
    // Integers as bigint, since libsql rounds those beyond 2^53 without a word. Its types say `any`.
    const statement = database.prepare(sql).safeIntegers(true) as Omit<Prepared, 'placeholders'>;
    const entry: Prepared = {
      reader: statement.reader,
      placeholders: sql.split('?').length - 1,
      run: (params) => statement.run(params),
      all: (params) => statement.all(params),
    };
    if (prepared.size >= MAX_PREPARED) prepared.clear();
    prepared.set(sql, entry);
    return entry;
  };

  return {
    run: (sql, params = []) =>
      guard(() => {
        const statement = prepare(sql);
        if (params.length !== statement.placeholders) {
          // Missing ones would be bound as NULL, spare ones dropped.
          throw new TypeError(`${statement.placeholders} parameters expected, ${params.length} given`);
        }
        const bound = params.map(toNative);
        if (!statement.reader) return { rows: [], changes: statement.run(bound).changes };
        const rows = statement.all(bound).map(fromNativeRow);
        return { rows, changes: rows.length };
      }),
    exec: (sql) => guard(() => database.exec(sql)),
    get inTransaction() {
      return database.inTransaction;
    },
    close: () => guard(() => database.close()),
  };
};

/** Refuses what libsql would change on the way in: it aborts the process on a boolean and on nothing else. */
const toNative = (value: SqlValue): NativeValue => {
  if (value === null) return null;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') {
    // A number would be bound as REAL, NaN as NULL; only integers are stored, so that money cannot become a fraction.
    if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not a safe integer`);
    return BigInt(value);
  }
  if (typeof value !== 'string') throw new TypeError(`a ${typeof value} cannot be stored`);
  // Text is read back only up to a NUL, and half of a surrogate pair as U+FFFD. JSON text escapes both.
  if (value.includes('\0') || !value.isWellFormed()) throw new TypeError('text with NUL or half a surrogate pair');
  return value;
};

const fromNativeRow = (row: Readonly<Record<string, unknown>>): Row => {
  const result: Record<string, string | number | null> = {};
  for (const [name, value] of Object.entries(row)) result[name] = fromNative(name, value);
  return result;
};

const fromNative = (name: string, value: unknown): string | number | null => {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
  }
  throw new TypeError(`column ${name} holds what is neither text nor a safe integer`);
};

const guard = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError || !(error instanceof Error)) throw error;
    throw toSqliteFailure(error);
  }
};
