import type { Failure } from './failure.ts';
import type { Answer, SqlValue } from './libsql.ts';
/** One SQL statement of fixed text. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  /** Rows that must be changed (given, for a statement that returns rows); otherwise the unit is rolled back. */
  readonly expectChanges?: number;
  /** Asked in the same transaction, before the roll-back, when `expectChanges` is not met: says why. */
  readonly explain?: {
    readonly sql: string;
    readonly params: readonly SqlValue[];
  };
}
/**
 * What is done together. `write` is one transaction of its own, durable when answered; `read` sees one snapshot.
 * There are no interactive transactions: what a statement needs to know it asks in SQL.
 */
export interface SqlUnit {
  readonly mode: 'write' | 'read';
  readonly statements: readonly Statement[];
}
export type Outcome =
  | {
      readonly kind: 'done';
      readonly answers: readonly Answer[];
    }
  /** The guard of statement `index` was not met; nothing was stored. */
  | {
      readonly kind: 'refused';
      readonly index: number;
      readonly explained: Answer['rows'];
    }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
    };
export type ToWorker =
  | {
      readonly type: 'unit';
      readonly id: number;
      readonly unit: SqlUnit;
    }
  | {
      readonly type: 'close';
    };
export type FromWorker =
  | {
      readonly type: 'ready';
    }
  | {
      readonly type: 'unopened';
      readonly failure: Failure;
    }
  | {
      readonly type: 'outcomes';
      readonly outcomes: readonly (readonly [id: number, outcome: Outcome])[];
    };
/** What the worker is started with. */
export interface WorkerOptions {
  readonly file: string;
  /** Upper bound of the file in pages of 4 KiB; SQLite's own (over 16 TB) where absent. */
  readonly maxPages?: number;
}
