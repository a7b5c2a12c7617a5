import { CloutError } from '@cloutagent/contract';
import type { Answer, Row } from './libsql.ts';
import type { SqlUnit, Statement } from './unit.ts';
import type { Writer } from './writer.ts';

/** A statement and the error that its unmet guard means. */
export interface Guarded extends Statement {
  readonly refuse?: (explained: readonly Row[]) => CloutError;
}

/** Commits the statements as one unit; durable on return. Throws what the refused statement names. */
export const write = (writer: Writer, statements: readonly Guarded[]): Promise<readonly Answer[]> =>
  ask(writer, 'write', statements);

/** Reads on one snapshot, after all that was confirmed before. */
export const read = (writer: Writer, statements: readonly Guarded[]): Promise<readonly Answer[]> =>
  ask(writer, 'read', statements);

const ask = async (
  writer: Writer,
  mode: SqlUnit['mode'],
  statements: readonly Guarded[],
): Promise<readonly Answer[]> => {
  // Functions cannot cross to the thread.
  const outcome = await writer.submit({ mode, statements: statements.map(({ refuse: _, ...statement }) => statement) });
  if (outcome.kind === 'done') return outcome.answers;
  throw (
    statements[outcome.index]?.refuse?.(outcome.explained) ?? defect(`statement ${outcome.index} of a unit was refused`)
  );
};

/** What only wrong code of ours can cause. */
export const defect = (message: string, details?: Readonly<Record<string, unknown>>): CloutError =>
  new CloutError('INTERNAL_ERROR', message, details === undefined ? {} : { details });
