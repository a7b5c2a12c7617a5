import type { Books } from './books.ts';
import { toFailure } from './failure.ts';
import type { Answer, Connection } from './libsql.ts';
import { perform } from './perform.ts';
import type { CommitOrder, Outcome, SqlUnit, Statement } from './unit.ts';

/**
 * Runs write units in one transaction, so that one sync to disk makes all of them durable. Each has its own savepoint:
 * one that is refused or fails leaves no trace and does not disturb the others. Where it takes the transaction with it,
 * or the disk is too full for all of them, every unit is tried again alone. Throws where not even the roll-back works:
 * then the connection is of no use any more.
 */
export const commitGroup = (
  connection: Connection,
  books: Books,
  units: readonly (SqlUnit | CommitOrder)[],
): readonly Outcome[] => {
  let lostByUnit = false;
  const run = (unit: SqlUnit | CommitOrder): Outcome => {
    try {
      return inSavepoint(connection, books, unit);
    } catch (error) {
      lostByUnit = true;
      throw error;
    }
  };
  try {
    return inTransaction(connection, 'BEGIN IMMEDIATE', () => {
      books.begin();
      return units.map(run);
    });
  } catch (error) {
    books.forget();
    if (connection.inTransaction) throw error;
    const failure = toFailure(error);
    // Another failure to commit may have reached the disk or not, and one to begin would only repeat itself.
    const again = units.length > 1 && (lostByUnit || failure.code === 'STORAGE_FULL');
    return again
      ? units.flatMap((unit) => commitGroup(connection, books, [unit]))
      : units.map(() => ({ kind: 'failed', failure }));
  }
};

/** Runs a read unit on one snapshot. */
export const readUnit = (connection: Connection, unit: SqlUnit): Outcome => {
  try {
    return inTransaction(connection, 'BEGIN DEFERRED', () => runStatements(connection, unit.statements));
  } catch (error) {
    if (connection.inTransaction) throw error;
    return { kind: 'failed', failure: toFailure(error) };
  }
};

const inTransaction = <T>(connection: Connection, begin: string, work: () => T): T => {
  connection.exec(begin);
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
};

const inSavepoint = (connection: Connection, books: Books, unit: SqlUnit | CommitOrder): Outcome => {
  connection.exec('SAVEPOINT unit');
  books.beginUnit();
  let outcome: Outcome;
  try {
    outcome =
      unit.mode === 'commit'
        ? { kind: 'performed', performed: perform(connection, books, unit) }
        : runStatements(connection, unit.statements, books);
  } catch (error) {
    // SQLite has rolled back the whole group by itself: the units before this one are gone too.
    if (!connection.inTransaction) throw error;
    outcome = { kind: 'failed', failure: toFailure(error) };
  }
  if (outcome.kind === 'refused' || outcome.kind === 'failed') {
    books.undoUnit();
    connection.exec('ROLLBACK TO unit');
  }
  connection.exec('RELEASE unit');
  return outcome;
};

const runStatements = (connection: Connection, statements: readonly Statement[], books?: Books): Outcome => {
  const answers: Answer[] = [];
  for (const [index, statement] of statements.entries()) {
    const answer = connection.run(statement.sql, statement.params);
    if (statement.expectChanges !== undefined && answer.changes !== statement.expectChanges) {
      const { explain } = statement;
      return {
        kind: 'refused',
        index,
        explained: explain === undefined ? [] : connection.run(explain.sql, explain.params).rows,
      };
    }
    if (statement.forgets === true && answer.changes > 0) books?.forget();
    answers.push(answer);
  }
  return { kind: 'done', answers };
};
