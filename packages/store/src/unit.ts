import type { MoneyOp, StepRow, Unit, Usage } from '@cloutagent/contract';
import type { Slots } from './calendar.ts';
import type { Failure } from './failure.ts';
import type { Answer, SqlValue } from './libsql.ts';

/** One SQL statement of fixed text. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  /** Rows that must be changed (given, for a statement that returns rows); otherwise the unit is rolled back. */
  readonly expectChanges?: number;
  /** Asked in the same transaction, before the roll-back, when `expectChanges` is not met: says why. */
  readonly explain?: { readonly sql: string; readonly params: readonly SqlValue[] };
  /** Follows in the same transaction where this one gave or changed rows; without answers of its own. */
  readonly leadsTo?: readonly Statement[];
  /** It writes what `Books` remember, of all or of one run: where it changed a row, that is read anew. */
  readonly forgets?: 'all' | { readonly runId: string };
}

/**
 * What is done together. `write` is one transaction of its own, durable when answered; `read` sees one snapshot.
 * There are no interactive transactions: what a statement needs to know it asks in SQL.
 */
export interface SqlUnit {
  readonly mode: 'write' | 'read';
  readonly statements: readonly Statement[];
}

/** When a unit is made: the time, the periods it lies in, and whether limits are held or only recorded. */
export interface MoneyMoment {
  readonly now: number;
  readonly slots: Slots;
  readonly enforced: boolean;
}

/** A step with its JSON as text. */
export interface StepText extends Omit<StepRow, 'name' | 'input' | 'output' | 'usage'> {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly usage: string | null;
}

/** The run that rows belong to. */
export interface RunRef {
  readonly runId: string;
  readonly projectId: string;
}

/**
 * A unit of a run's driver. It is made of statements in the thread, which knows the budgets and the last numbers of the run:
 * it is what a model call pays for twice.
 */
export interface CommitOrder extends RunRef {
  readonly mode: 'commit';
  readonly fence: number;
  readonly moment: MoneyMoment;
  readonly money: readonly MoneyOp[];
  readonly steps: readonly StepText[];
  readonly events: readonly { readonly type: string; readonly body: string }[];
  /** JSON of the others; null where there are none. */
  readonly others: string | null;
}

export type Others = Omit<Unit, 'money' | 'steps' | 'events'>;

/** What a commit gave: the number of its first event, the JSON of the event that shows its money, and whether it wrote alerts. */
export interface Performed {
  readonly seq: number;
  readonly money: string | null;
  readonly alerts: boolean;
}

export type Outcome =
  | { readonly kind: 'done'; readonly answers: readonly Answer[] }
  | { readonly kind: 'performed'; readonly performed: Performed }
  /** The guard of statement `index` was not met; nothing was stored. */
  | { readonly kind: 'refused'; readonly index: number; readonly explained: Answer['rows'] }
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * What crosses between the threads, one value after another: as objects the same costs four times as much. Units of SQL and
 * whatever is no success of a driver's unit are seldom, and cross as they are.
 */
export type Cargo<Whole> = (string | number | boolean | null | Usage | Whole)[];

export type ToWorker = { readonly type: 'units'; readonly units: Cargo<SqlUnit> } | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'unopened'; readonly failure: Failure }
  | { readonly type: 'outcomes'; readonly outcomes: Cargo<Outcome> };

/** What the worker is started with. */
export interface WorkerOptions {
  readonly file: string;
  /** Upper bound of the file in pages of 4 KiB; SQLite's own (over 16 TB) where absent. */
  readonly maxPages?: number;
}
