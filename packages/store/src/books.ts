import type { BudgetPeriod, BudgetScope } from '@cloutagent/contract';
import { defect } from './ask.ts';
import type { Slots } from './calendar.ts';
import type { Connection } from './libsql.ts';
import { int, intOrNull, text } from './rows.ts';
import { openSheet, type Sheet } from './sheet.ts';

/** A row of a budget, as the database has it. */
export interface BudgetRow {
  readonly rowId: number;
  readonly scope: BudgetScope;
  readonly id: string;
  readonly period: BudgetPeriod;
  readonly slot: string;
  readonly limit: number | null;
  spent: number;
  held: number;
  /** What must be spent for the next alert; null where none is to come. */
  alertAt: number | null;
}

/** A run: who drives it, and the last numbers that it has given. */
export interface RunState {
  /** Null where it is not there or over. */
  readonly fence: number | null;
  event: number;
  step: number;
  reservation: number;
}

/** A reservation that is not settled, and the budgets that it counts on. */
export interface OpenReservation {
  readonly runId: string;
  readonly amount: number;
  readonly rows: readonly BudgetRow[];
}

/**
 * What the thread remembers of budgets and runs, so that a model call does not look them up four times. It always equals the
 * database with the rows of the sheet: whoever writes there changes it here in the same unit, or makes it forget, and what
 * another connection has written is seen at the begin of a transaction.
 */
export interface Books {
  readonly sheet: Sheet;
  /** In a transaction that has just begun, whose units write their rows together, or each alone. */
  begin(how: 'together' | 'alone'): void;
  /** Rows of every budget that a step of a node counts on: the levels of its run, over all time and over these periods. */
  rowsOf(runId: string, node: string, slots: Slots): readonly BudgetRow[];
  /** The budget of a run over all time; undefined where it has none. */
  budgetOf(runId: string): BudgetRow | undefined;
  runOf(runId: string): RunState;
  readonly open: Map<string, OpenReservation>;
  /** Adds both differences to every row. */
  move(rows: readonly BudgetRow[], spent: number, held: number): void;
  /** After alerts were written. */
  readAlertAt(row: BudgetRow): void;
  /** Has it done by the next `undo`, in reverse order. */
  onUndo(undo: () => void): void;
  /** A savepoint: `undo` goes back to here, or to the begin of the transaction. */
  mark(): void;
  undo(): void;
  forget(what: 'all' | { readonly runId: string }): void;
}

/** Budgets and runs that are remembered: thousands of runs at once, some megabytes. */
const MAX_REMEMBERED = 10_000;

/** The least that makes a threshold due that has no alert yet; the condition of `alertStatement`, turned round. */
const ALERT_AT = `(SELECT max(1, min(9007199254740991, min((b.limit_nano * t.percent + 99) / 100))) FROM alert_threshold t
  WHERE t.scope = b.scope AND t.id = b.id AND t.period = b.period AND t.percent > 0 AND NOT EXISTS (SELECT 1 FROM cost_alert a
    WHERE a.name = 'threshold ' || b.scope || ' ' || b.id || ' ' || b.slot || ' ' || b.limit_nano || ' ' || t.percent))`;

const COLUMNS = `b.rowid AS row_id, b.scope, b.id, b.period, b.slot, b.limit_nano, b.spent_nano, b.held_nano, ${ALERT_AT} AS alert_at`;

const OF_STEP = `SELECT ${COLUMNS} FROM run_level l JOIN budget b ON b.scope = l.scope AND b.id = l.budget_id
  WHERE l.run_id = ? AND l.place IN ('', ?) AND b.slot IN ('', ?, ?, ?)`;

const OF_RUN = `SELECT ${COLUMNS} FROM budget b WHERE b.scope = 'run' AND b.id = ? AND b.slot = ''`;

/** Steps are counted, since the last one has no index; they have no gaps. */
const RUN = `SELECT (SELECT fence FROM run WHERE id = ? AND finished_at IS NULL) AS fence,
  (SELECT coalesce(max(seq), 0) FROM event WHERE run_id = ?) AS event,
  (SELECT count(*) FROM step WHERE run_id = ?) AS step,
  (SELECT coalesce(max(place), 0) FROM reservation WHERE run_id = ?) AS reservation`;

const isMoney = (nano: number): boolean => Number.isSafeInteger(nano) && nano >= 0;

export const openBooks = (connection: Connection): Books => {
  const sheet = openSheet(connection, () => undos.push(clear));
  const rows = new Map<number, BudgetRow>();
  const lists = new Map<string, readonly BudgetRow[]>();
  const ofRuns = new Map<string, BudgetRow | undefined>();
  const runs = new Map<string, RunState>();
  const open = new Map<string, OpenReservation>();
  let undos: (() => void)[] = [];
  let version = -1;

  const clear = (): void => {
    for (const map of [rows, lists, ofRuns, runs, open]) map.clear();
  };

  /** One object for one row, whoever counts on it. */
  const load = (sql: string, params: readonly string[]): readonly BudgetRow[] => {
    const found = new Map<number, BudgetRow>();
    for (const row of sheet.run(sql, params).rows) {
      const rowId = int(row, 'row_id');
      const known = rows.get(rowId) ?? {
        rowId,
        // The constraints of the columns hold these two.
        scope: text(row, 'scope') as BudgetScope,
        id: text(row, 'id'),
        period: text(row, 'period') as BudgetPeriod,
        slot: text(row, 'slot'),
        limit: intOrNull(row, 'limit_nano'),
        spent: int(row, 'spent_nano'),
        held: int(row, 'held_nano'),
        alertAt: intOrNull(row, 'alert_at'),
      };
      rows.set(rowId, known);
      found.set(rowId, known);
    }
    return [...found.values()];
  };

  const remember = <T>(map: Map<string, T>, key: string, read: () => T): T => {
    const known = map.get(key);
    if (known !== undefined || map.has(key)) return known as T; // what is in it is of its type
    const value = read();
    map.set(key, value);
    return value;
  };

  return {
    sheet,
    open,
    forget: (what) => {
      const drop = what === 'all' ? clear : () => runs.delete(what.runId);
      drop();
      // What is read from here on may be taken back.
      undos.push(drop);
    },
    begin: (how) => {
      undos = [];
      sheet.clear(how);
      const now = connection.run('PRAGMA data_version').rows[0]?.['data_version'];
      if (now !== version || rows.size + runs.size > MAX_REMEMBERED) clear();
      version = typeof now === 'number' ? now : -1;
    },
    rowsOf: (runId, node, { day, week, month }) =>
      remember(lists, `${runId} ${node} ${day} ${week} ${month}`, () => load(OF_STEP, [runId, node, day, week, month])),
    budgetOf: (runId) => remember(ofRuns, runId, () => load(OF_RUN, [runId])[0]),
    runOf: (runId) => {
      const known = remember(runs, runId, () => {
        const row = sheet.run(RUN, [runId, runId, runId, runId]).rows[0] ?? {};
        return {
          fence: intOrNull(row, 'fence'),
          event: int(row, 'event'),
          step: int(row, 'step'),
          reservation: int(row, 'reservation'),
        };
      });
      const before = { ...known };
      undos.push(() => Object.assign(known, before));
      return known;
    },
    move: (moved, spent, held) => {
      for (const row of moved) {
        // What the constraints of the columns hold, seen before a number is not exact any more.
        for (const sum of [row.spent + spent, row.held + held])
          if (!isMoney(sum))
            throw defect(`${sum} in the budget of the ${row.scope} is not a safe integer of 0 or more`);
      }
      const add = (sign: 1 | -1): void => {
        for (const row of moved) {
          row.spent += sign * spent;
          row.held += sign * held;
        }
      };
      add(1);
      undos.push(() => add(-1));
      for (const row of moved) sheet.change(row);
    },
    readAlertAt: (row) => {
      const sql = `SELECT ${ALERT_AT} AS alert_at FROM budget b WHERE b.rowid = ?`;
      const before = row.alertAt;
      undos.push(() => (row.alertAt = before));
      row.alertAt = intOrNull(sheet.run(sql, [row.rowId]).rows[0] ?? {}, 'alert_at');
    },
    onUndo: (undo) => undos.push(undo),
    mark: () => {
      undos = [];
    },
    undo: () => {
      sheet.clear();
      for (const undo of undos.toReversed()) undo();
      undos = [];
    },
  };
};
