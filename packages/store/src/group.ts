import type { Books } from './books.ts';
import { toFailure } from './failure.ts';
import type { Answer, Connection } from './libsql.ts';
import { perform } from './perform.ts';
import type { CommitOrder, Outcome, SqlUnit, Statement } from './unit.ts';

type WriteUnit = SqlUnit | CommitOrder;

/**
 * Runs write units in one transaction, so that one sync to disk makes all of them durable. One that is refused or fails
 * leaves no trace and does not disturb the others: then all are taken back and done again, each in a savepoint of its own,
 * which costs a copy of every page and is left out for the good of the usual case. Throws where not even the roll-back
 * works: then the connection is of no use any more.
 */
export const commitGroup = (connection: Connection, books: Books, units: readonly WriteUnit[]): readonly Outcome[] => {
  let bad: Outcome | undefined;
  const run = (unit: WriteUnit, index: number): Outcome => {
    const outcome = runUnit(books, unit, index === units.length - 1);
    if (!isBad(outcome)) return outcome;
    bad = outcome;
    throw new Error('The group is taken back');
  };
  try {
    return inTransaction(connection, 'BEGIN IMMEDIATE', () => {
      books.begin(units.length === 1 ? 'alone' : 'together');
      return units.map(run);
    });
  } catch (error) {
    books.undo();
    if (connection.inTransaction) throw error;
    if (bad === undefined) return failed(connection, books, units, error);
    return units.length === 1 ? [bad] : commitOneByOne(connection, books, units);
  }
};

/** The same, with a savepoint for each. Where a unit takes the transaction with it, every one is tried again alone. */
const commitOneByOne = (connection: Connection, books: Books, units: readonly WriteUnit[]): readonly Outcome[] => {
  let lostByUnit = false;
  const run = (unit: WriteUnit): Outcome => {
    connection.exec('SAVEPOINT unit');
    books.mark();
    const outcome = runUnit(books, unit, true);
    if (isBad(outcome)) {
      books.undo();
      // SQLite may have rolled back the whole group by itself: then the units before this one are gone too.
      lostByUnit = !connection.inTransaction;
      connection.exec('ROLLBACK TO unit');
    }
    connection.exec('RELEASE unit');
    return outcome;
  };
  try {
    return inTransaction(connection, 'BEGIN IMMEDIATE', () => {
      books.begin('alone');
      return units.map(run);
    });
  } catch (error) {
    books.forget('all');
    if (connection.inTransaction) throw error;
    return lostByUnit ? alone(connection, books, units) : failed(connection, books, units, error);
  }
};

const alone = (connection: Connection, books: Books, units: readonly WriteUnit[]): readonly Outcome[] =>
  units.flatMap((unit) => commitGroup(connection, books, [unit]));

/** What failed is the begin or the end of the transaction. */
const failed = (
  connection: Connection,
  books: Books,
  units: readonly WriteUnit[],
  error: unknown,
): readonly Outcome[] => {
  books.forget('all');
  const failure = toFailure(error);
  const isOfOne = failure.code === 'STORAGE_FULL' || failure.details?.['sqlite'] === 'SQLITE_CONSTRAINT_FOREIGNKEY';
  // Another failure to commit may have reached the disk or not, and one to begin would only repeat itself.
  if (units.length > 1 && isOfOne) return alone(connection, books, units);
  return units.map(() => ({ kind: 'failed', failure }));
};

const isBad = (outcome: Outcome): boolean => outcome.kind === 'refused' || outcome.kind === 'failed';

/** The last unit writes the rows of all. */
const runUnit = (books: Books, unit: WriteUnit, isLast: boolean): Outcome => {
  try {
    const outcome: Outcome =
      unit.mode === 'commit'
        ? { kind: 'performed', performed: perform(books, unit) }
        : runStatements(books.sheet, unit.statements, books);
    if (isLast && !isBad(outcome)) books.sheet.write();
    return outcome;
  } catch (error) {
    return { kind: 'failed', failure: toFailure(error) };
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

const runStatements = (
  connection: Pick<Connection, 'run'>,
  statements: readonly Statement[],
  books?: Books,
): Outcome => {
  const answers: Answer[] = [];
  const run = (statement: Statement): Answer => {
    const answer = connection.run(statement.sql, statement.params);
    if (answer.changes > 0 && statement.forgets !== undefined) books?.forget(statement.forgets);
    if (answer.changes > 0) for (const next of statement.leadsTo ?? []) run(next);
    return answer;
  };
  for (const [index, statement] of statements.entries()) {
    const answer = run(statement);
    if (statement.expectChanges !== undefined && answer.changes !== statement.expectChanges) {
      const { explain } = statement;
      return {
        kind: 'refused',
        index,
        explained: explain === undefined ? [] : connection.run(explain.sql, explain.params).rows,
      };
    }
    answers.push(answer);
  }
  return { kind: 'done', answers };
};
