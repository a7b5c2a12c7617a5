import { type Claim, type Intent, type StepRow } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import type { Row } from './libsql.ts';
export declare const STEP_COLUMNS =
  'key, kind, name, input_hash, input, output, is_error, usage, cost_nano, started_at, ended_at';
export declare const toStep: (row: Row) => StepRow;
/** The run that rows belong to. */
export type RunRef = Pick<Claim, 'runId' | 'run'>;
/** Rows are insert-only: a second one for the same key is refused, whatever its content. */
export declare const insertStep: (claim: RunRef, step: StepRow) => Guarded;
/** The same intent again is no change: a call that may be repeated is begun again after a crash. */
export declare const insertIntent: (claim: Claim, intent: Intent, now: number) => Guarded;
