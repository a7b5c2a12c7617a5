import { type Run } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import type { Row, SqlValue } from './libsql.ts';
/** Which runs: fixed SQL with the parameters of its placeholders, ending in an order. */
export interface Selection {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}
/** Statements that `toRuns` reads, for the runs of one selection; they ride along in a larger unit too. */
export declare const runStatements: (chosen: Selection) => readonly Guarded[];
/** Builds the runs from the rows of `runStatements`, in the order of the selection. */
export declare const toRuns: ([
  runs,
  money,
  steps,
  outcomes,
  started,
  ended,
  begun,
  waits,
]: readonly (readonly Row[])[]) => readonly Run[];
