import { parentPort, workerData } from 'node:worker_threads';
import { openBooks } from './books.ts';
import { loadOutcome, unloadUnits } from './cargo.ts';
import { toFailure } from './failure.ts';
import { commitGroup, readUnit } from './group.ts';
import { openSqlite, type Connection } from './libsql.ts';
import { migrate } from './migrations.ts';
import type { Cargo, CommitOrder, FromWorker, Outcome, SqlUnit, ToWorker, WorkerOptions } from './unit.ts';

/** Only a foreign program can hold the database, such as a backup; waiting blocks this thread and no other. */
const BUSY_TIMEOUT_MS = 5_000;

/** Units of one group: bounds how long the first of them waits, and how much one transaction keeps in memory. */
const MAX_GROUP = 128;

/** Size that the write-ahead log is cut back to after it has grown. */
const WAL_BYTES = 16 * 1024 * 1024;

/** Pages of the log, such a size: what is written again and again, as the last page of an index, reaches the database once. */
const CHECKPOINT_PAGES = WAL_BYTES / 4096;

const open = (options: WorkerOptions): Connection => {
  const connection = openSqlite(options.file, { busyTimeoutMs: BUSY_TIMEOUT_MS });
  connection.run('PRAGMA journal_mode=WAL');
  // FULL syncs the log at every commit; in WAL mode anything less can lose a commit that was confirmed.
  connection.exec('PRAGMA synchronous=FULL');
  // On macOS a plain fsync leaves the data in the drive's cache.
  connection.exec('PRAGMA fullfsync=ON');
  connection.exec('PRAGMA checkpoint_fullfsync=ON');
  connection.run(`PRAGMA journal_size_limit=${WAL_BYTES}`);
  connection.run(`PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}`);
  if (options.maxPages !== undefined) connection.run(`PRAGMA max_page_count=${options.maxPages}`);
  migrate(connection);
  return connection;
};

const serve = (port: NonNullable<typeof parentPort>, options: WorkerOptions): void => {
  const send = (message: FromWorker): void => port.postMessage(message);
  let connection: Connection;
  try {
    connection = open(options);
  } catch (error) {
    send({ type: 'unopened', failure: toFailure(error) });
    port.close();
    return;
  }
  // Bounded by the writer's own bound of what it sends before it hears back.
  const waiting: (readonly [id: number, unit: SqlUnit | CommitOrder])[] = [];
  const books = openBooks(connection);
  let scheduled = false;
  let closing = false;

  const drain = (): void => {
    scheduled = false;
    const group = waiting.splice(0, MAX_GROUP);
    const writes = group.filter(([, unit]) => unit.mode !== 'read');
    const outcomes: Cargo<Outcome> = [];
    if (writes.length > 0) {
      const written = commitGroup(
        connection,
        books,
        writes.map(([, unit]) => unit),
      );
      for (const [index, outcome] of written.entries()) {
        const item = writes[index];
        if (item !== undefined) loadOutcome(outcomes, item[0], outcome);
      }
    }
    for (const [id, unit] of group) if (unit.mode === 'read') loadOutcome(outcomes, id, readUnit(connection, unit));
    if (outcomes.length > 0) send({ type: 'outcomes', outcomes });
    if (waiting.length > 0) schedule();
    else if (closing) {
      connection.close();
      port.close();
    }
  };

  /** Everything that has arrived by the end of this turn of the loop becomes one group. */
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(drain);
  };

  port.on('message', (message: ToWorker) => {
    if (message.type === 'units') unloadUnits(message.units, (id, unit) => waiting.push([id, unit]));
    else closing = true;
    schedule();
  });
  send({ type: 'ready' });
};

// `workerData` is untyped; only writer.ts starts this file.
if (parentPort !== null) serve(parentPort, workerData as WorkerOptions);
