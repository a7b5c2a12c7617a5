import { defect, type Guarded } from './ask.ts';
import type { Answer, Connection, SqlValue } from './libsql.ts';

/** Says why a row was not taken. */
export interface RowGuard extends Pick<Guarded, 'explain'> {
  readonly refuse: NonNullable<Guarded['refuse']>;
}

/** Money of a budget, to be written as it stands. */
export interface Sums {
  readonly rowId: number;
  readonly spent: number;
  readonly held: number;
}

/**
 * Rows that the units of a group write, each table's together: a statement costs as much as the row in it. They are written
 * before any other statement of the group, so that nothing sees the database without them, and before its end.
 */
export interface Sheet {
  /** Runs a statement behind all rows. */
  run(sql: string, params: readonly SqlValue[]): Answer;
  /** A new row. Without a guard, whether it is taken is up to the conflict clause of its table. */
  add(table: Table, params: readonly SqlValue[], guard?: RowGuard): void;
  /** A budget whose sums have changed. */
  change(budget: Sums): void;
  /** Throws what the guard of a refused row says, where rows are written `alone`; otherwise only that one was. */
  write(): void;
  /** Drops what is not written. */
  clear(how?: 'together' | 'alone'): void;
}

interface Waiting {
  readonly params: readonly SqlValue[];
  readonly guard?: RowGuard;
}

/** Rows of one statement. */
const SIZES = { together: [64, 16, 4, 1], alone: [1] } as const;

/** Characters of rows that may share statements; more would stand in memory several times. */
const MAX_CHARS = 1024 * 1024;

type SqlBySize = ReadonlyMap<number, string>;

const bySize = (head: string, columns: number, tail: string): SqlBySize => {
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`;
  return new Map(SIZES.together.map((size) => [size, `${head} VALUES ${Array(size).fill(row).join(', ')}${tail}`]));
};

/**
 * `OR FAIL`, since what is written by half is taken back with its unit: otherwise a copy of every page would be kept for that.
 * References are no reason for one, as they are looked at when the group ends.
 */
const insertInto = (table: string, columns: string, conflict = ''): SqlBySize =>
  bySize(`INSERT OR FAIL INTO ${table} (${columns})`, columns.split(',').length, ` ${conflict}`);

export const STEP_COLUMNS =
  'key, kind, name, input_hash, input, output, is_error, usage, cost_nano, started_at, ended_at';

/** In the order in which they refer to each other. */
const INSERTS = {
  reservation: insertInto(
    'reservation',
    `id, project_id, run_id, place, step_key, node, attempt, model, price_id, amount_nano, created_at, day, week, month`,
  ),
  proof: insertInto(
    'reservation_proof',
    `reservation_id, project_id, run_id, bound_nano, input_tokens, cache_read_tokens, cache_write_5m_tokens,
     cache_write_1h_tokens, request_id, at`,
    'ON CONFLICT (reservation_id) DO NOTHING',
  ),
  settlement: insertInto(
    'settlement',
    `reservation_id, project_id, run_id, outcome, amount_nano, input_tokens, cache_read_tokens, cache_write_5m_tokens,
     cache_write_1h_tokens, output_tokens, web_searches, traits, request_id, settled_at`,
  ),
  intent: insertInto(
    'intent',
    'run_id, key, project_id, input_hash, repeatable, name, created_at',
    'ON CONFLICT (run_id, key) DO UPDATE SET input_hash = excluded.input_hash WHERE intent.input_hash = excluded.input_hash',
  ),
  step: insertInto('step', `run_id, project_id, place, ${STEP_COLUMNS}`, 'ON CONFLICT (run_id, key) DO NOTHING'),
  event: insertInto('event', 'run_id, seq, project_id, at, type, body'),
} as const;

export type Table = keyof typeof INSERTS;
const TABLES = Object.entries(INSERTS) as readonly (readonly [Table, SqlBySize])[]; // the names of the line above

/** Of one row, for those who write it as a statement. */
export const INSERT_STEP = INSERTS.step.get(1) ?? '';

/** `OR FAIL` as above. */
const SUMS = bySize(
  'UPDATE OR FAIL budget SET spent_nano = v.column2, held_nano = v.column3 FROM (',
  3,
  ') v WHERE budget.rowid = v.column1',
);

/** `onLost` is called where a budget is not there any more. */
export const openSheet = (connection: Connection, onLost: () => void): Sheet => {
  const rows = new Map<Table, Waiting[]>();
  const budgets = new Set<Sums>();
  let chars = 0;
  let sizes: readonly number[] = SIZES.alone;

  const clear = (): void => {
    rows.clear();
    budgets.clear();
    chars = 0;
  };

  const writeAll = (sql: SqlBySize, list: readonly Waiting[], refused: (part: readonly Waiting[]) => void): void => {
    let from = 0;
    for (const size of chars > MAX_CHARS ? SIZES.alone : sizes) {
      for (; list.length - from >= size; from += size) {
        const part = list.slice(from, from + size);
        const params: SqlValue[] = [];
        for (const row of part) params.push(...row.params);
        const { changes } = connection.run(sql.get(size) ?? '', params);
        if (changes < size) refused(part);
      }
    }
  };

  const refuse = (part: readonly Waiting[]): void => {
    const guard = part.find((row) => row.guard !== undefined)?.guard;
    if (guard === undefined) return;
    if (part.length > 1) throw defect('one of several rows was refused');
    const { explain } = guard;
    throw guard.refuse(explain === undefined ? [] : connection.run(explain.sql, explain.params).rows);
  };

  const lose = (): never => {
    onLost();
    throw defect('a budget that is remembered is not there');
  };

  const write = (): void => {
    for (const [table, sql] of TABLES) {
      const list = rows.get(table) ?? [];
      if (list.length > 0) writeAll(sql, list, refuse);
      rows.delete(table);
    }
    if (budgets.size > 0) {
      const sums = Array.from(budgets, ({ rowId, spent, held }) => ({ params: [rowId, spent, held] }));
      writeAll(SUMS, sums, lose);
    }
    clear();
  };

  return {
    run: (sql, params) => {
      write();
      return connection.run(sql, params);
    },
    add: (table, params, guard) => {
      const list = rows.get(table) ?? [];
      rows.set(table, list);
      list.push(guard === undefined ? { params } : { params, guard });
      for (const param of params) if (typeof param === 'string') chars += param.length;
    },
    change: (budget) => budgets.add(budget),
    write,
    clear: (how) => {
      clear();
      if (how !== undefined) sizes = SIZES[how];
    },
  };
};
