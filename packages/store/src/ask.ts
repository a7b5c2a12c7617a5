import { CloutError } from '@cloutagent/contract';
import type { Answer, Connection, Row } from './libsql.ts';
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
  if (outcome.kind === 'performed') throw defect('a unit was answered as a commit');
  throw (
    statements[outcome.index]?.refuse?.(outcome.explained) ?? defect(`statement ${outcome.index} of a unit was refused`)
  );
};

/** Runs a statement in the thread. Throws what its unmet guard means. */
export const must = (connection: Pick<Connection, 'run'>, statement: Guarded): Answer => {
  const { sql, params, expectChanges, explain, refuse } = statement;
  const answer = connection.run(sql, params);
  if (expectChanges === undefined || answer.changes === expectChanges) return answer;
  const explained = explain === undefined ? [] : connection.run(explain.sql, explain.params).rows;
  throw refuse?.(explained) ?? defect('a statement was refused');
};

/** What only wrong code of ours can cause. */
export const defect = (message: string, details?: Readonly<Record<string, unknown>>): CloutError =>
  new CloutError('INTERNAL_ERROR', message, details === undefined ? {} : { details });
