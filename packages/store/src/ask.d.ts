import { CloutError } from '@cloutagent/contract';
import type { Answer, Row } from './libsql.ts';
import type { Statement } from './unit.ts';
import type { Writer } from './writer.ts';
/** A statement and the error that its unmet guard means. */
export interface Guarded extends Statement {
  readonly refuse?: (explained: readonly Row[]) => CloutError;
}
/** Commits the statements as one unit; durable on return. Throws what the refused statement names. */
export declare const write: (writer: Writer, statements: readonly Guarded[]) => Promise<readonly Answer[]>;
/** Reads on one snapshot, after all that was confirmed before. */
export declare const read: (writer: Writer, statements: readonly Guarded[]) => Promise<readonly Answer[]>;
/** What only wrong code of ours can cause. */
export declare const defect: (message: string, details?: Readonly<Record<string, unknown>>) => CloutError;
