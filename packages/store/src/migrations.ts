import { CloutError } from '@cloutagent/contract';
import type { Connection } from './libsql.ts';
import { MONEY_LEVELS } from './migration-money.ts';

const deferred = (table: string): string =>
  `'REFERENCES ${table} (id)', 'REFERENCES ${table} (id) DEFERRABLE INITIALLY DEFERRED'`;

/**
 * Numbered from 1, forward-only, never edited once released. Times are milliseconds since 1970, money is nano-dollars,
 * JSON is text (which keeps NUL and broken surrogates, where plain text does not).
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE run (
       id TEXT PRIMARY KEY,
       project_id TEXT NOT NULL,
       slug TEXT NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'completed', 'failed', 'cancelled')),
       reason TEXT,
       simulated BIGINT NOT NULL CHECK (simulated IN (0, 1)),
       fence BIGINT NOT NULL,
       document TEXT NOT NULL,
       document_hash TEXT NOT NULL,
       summary TEXT NOT NULL,
       created_at BIGINT NOT NULL,
       updated_at BIGINT NOT NULL,
       finished_at BIGINT
     )`,
    // One run per change that is not finished, whoever starts it.
    `CREATE UNIQUE INDEX run_live ON run (project_id, slug) WHERE status IN ('running', 'paused')`,
    `CREATE INDEX run_newest ON run (project_id, created_at, id)`,
    `CREATE INDEX run_of_change ON run (project_id, slug, created_at, id)`,
    // The id of a project's budget names the project, so there is no column for it.
    `CREATE TABLE budget (
       scope TEXT NOT NULL CHECK (scope IN ('project', 'run')),
       id TEXT NOT NULL,
       limit_nano BIGINT CHECK (limit_nano IS NULL OR limit_nano BETWEEN 0 AND 9007199254740991),
       spent_nano BIGINT NOT NULL CHECK (spent_nano BETWEEN 0 AND 9007199254740991),
       held_nano BIGINT NOT NULL CHECK (held_nano BETWEEN 0 AND 9007199254740991),
       PRIMARY KEY (scope, id)
     )`,
    `CREATE TABLE run_level (
       run_id TEXT NOT NULL REFERENCES run (id),
       project_id TEXT NOT NULL,
       scope TEXT NOT NULL,
       budget_id TEXT NOT NULL,
       PRIMARY KEY (run_id, scope, budget_id),
       FOREIGN KEY (scope, budget_id) REFERENCES budget (scope, id)
     )`,
    `CREATE INDEX run_level_budget ON run_level (scope, budget_id)`,
    `CREATE TABLE step (
       run_id TEXT NOT NULL REFERENCES run (id),
       key TEXT NOT NULL,
       project_id TEXT NOT NULL,
       place BIGINT NOT NULL,
       kind TEXT NOT NULL,
       name TEXT NOT NULL,
       input_hash TEXT NOT NULL,
       input TEXT NOT NULL,
       output TEXT NOT NULL,
       is_error BIGINT NOT NULL CHECK (is_error IN (0, 1)),
       usage TEXT,
       cost_nano BIGINT NOT NULL,
       started_at BIGINT NOT NULL,
       ended_at BIGINT NOT NULL,
       PRIMARY KEY (run_id, key),
       UNIQUE (run_id, place)
     )`,
    `CREATE TABLE intent (
       run_id TEXT NOT NULL REFERENCES run (id),
       key TEXT NOT NULL,
       project_id TEXT NOT NULL,
       input_hash TEXT NOT NULL,
       repeatable BIGINT NOT NULL CHECK (repeatable IN (0, 1)),
       name TEXT NOT NULL,
       created_at BIGINT NOT NULL,
       PRIMARY KEY (run_id, key)
     )`,
    `CREATE TABLE event (
       run_id TEXT NOT NULL REFERENCES run (id),
       seq BIGINT NOT NULL CHECK (seq > 0),
       project_id TEXT NOT NULL,
       at BIGINT NOT NULL,
       type TEXT NOT NULL,
       body TEXT NOT NULL,
       PRIMARY KEY (run_id, seq)
     )`,
    // Which task a run is at, without reading all of its events.
    `CREATE INDEX event_task ON event (run_id, seq) WHERE type = 'task.started'`,
    `CREATE TABLE reservation (
       id TEXT PRIMARY KEY,
       project_id TEXT NOT NULL,
       run_id TEXT NOT NULL REFERENCES run (id),
       place BIGINT NOT NULL,
       step_key TEXT NOT NULL,
       attempt BIGINT NOT NULL,
       model TEXT NOT NULL,
       price_id TEXT NOT NULL,
       amount_nano BIGINT NOT NULL CHECK (amount_nano >= 0),
       created_at BIGINT NOT NULL,
       UNIQUE (run_id, place)
     )`,
    // A fact of its own, so that the ledger is append-only and its key makes settling happen once.
    `CREATE TABLE settlement (
       reservation_id TEXT PRIMARY KEY REFERENCES reservation (id),
       project_id TEXT NOT NULL,
       run_id TEXT NOT NULL REFERENCES run (id),
       outcome TEXT NOT NULL CHECK (outcome IN ('known', 'unknown', 'released')),
       amount_nano BIGINT NOT NULL CHECK (amount_nano >= 0 AND (outcome <> 'released' OR amount_nano = 0)),
       input_tokens BIGINT,
       cache_read_tokens BIGINT,
       cache_write_5m_tokens BIGINT,
       cache_write_1h_tokens BIGINT,
       output_tokens BIGINT,
       request_id TEXT,
       settled_at BIGINT NOT NULL
     )`,
    `CREATE INDEX settlement_run ON settlement (run_id)`,
    `CREATE TABLE prefix_tokens (
       model TEXT NOT NULL,
       prefix_hash TEXT NOT NULL,
       tokens BIGINT NOT NULL CHECK (tokens >= 0),
       place BIGINT NOT NULL UNIQUE,
       PRIMARY KEY (model, prefix_hash)
     )`,
  ],
  [
    // Other statuses and kinds of runs: a constraint cannot be altered, so that the table is made anew.
    `CREATE TABLE run_new (
       id TEXT PRIMARY KEY,
       project_id TEXT NOT NULL,
       kind TEXT NOT NULL CHECK (kind IN ('change', 'workflow')),
       slug TEXT NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('running', 'waiting', 'paused', 'cancelling', 'completed', 'failed', 'cancelled')),
       reason TEXT,
       simulated BIGINT NOT NULL CHECK (simulated IN (0, 1)),
       fence BIGINT NOT NULL,
       document TEXT NOT NULL,
       document_hash TEXT NOT NULL,
       summary TEXT NOT NULL,
       created_at BIGINT NOT NULL,
       updated_at BIGINT NOT NULL,
       finished_at BIGINT
     )`,
    `INSERT INTO run_new SELECT id, project_id, 'change', slug, status, reason, simulated, fence, document, document_hash,
       summary, created_at, updated_at, finished_at FROM run`,
    'DROP TABLE run',
    'ALTER TABLE run_new RENAME TO run',
    `CREATE UNIQUE INDEX run_live ON run (project_id, slug)
       WHERE kind = 'change' AND status IN ('running', 'waiting', 'paused', 'cancelling')`,
    `CREATE INDEX run_newest ON run (project_id, created_at, id)`,
    `CREATE INDEX run_of_change ON run (project_id, slug, created_at, id)`,
    `CREATE INDEX run_unfinished ON run (project_id, created_at, id)
       WHERE status IN ('running', 'waiting', 'paused', 'cancelling')`,
    // The first of a topic is kept, whoever waits for it and when.
    `CREATE TABLE signal (
       run_id TEXT NOT NULL REFERENCES run (id),
       topic TEXT NOT NULL,
       project_id TEXT NOT NULL,
       id TEXT NOT NULL,
       body TEXT NOT NULL,
       created_at BIGINT NOT NULL,
       PRIMARY KEY (run_id, topic)
     )`,
    // What a waiting run waits for; gone as soon as it is driven again.
    `CREATE TABLE wait (
       run_id TEXT NOT NULL REFERENCES run (id),
       key TEXT NOT NULL,
       project_id TEXT NOT NULL,
       topic TEXT,
       until_at BIGINT,
       PRIMARY KEY (run_id, key)
     )`,
    `CREATE INDEX wait_due ON wait (until_at) WHERE until_at IS NOT NULL`,
    `CREATE TABLE approval (
       id TEXT PRIMARY KEY,
       run_id TEXT NOT NULL REFERENCES run (id),
       project_id TEXT NOT NULL,
       step_key TEXT NOT NULL,
       kind TEXT NOT NULL,
       title TEXT NOT NULL,
       request TEXT NOT NULL,
       digest TEXT NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled')),
       decided_by TEXT,
       reason TEXT,
       edited TEXT,
       created_at BIGINT NOT NULL,
       expires_at BIGINT,
       decided_at BIGINT,
       UNIQUE (run_id, step_key),
       CHECK ((status = 'pending') = (decided_at IS NULL))
     )`,
    `CREATE INDEX approval_newest ON approval (project_id, created_at, id)`,
    `CREATE INDEX approval_pending ON approval (project_id, created_at, id) WHERE status = 'pending'`,
  ],
  MONEY_LEVELS,
  [
    // Without the order of a run's steps as an index: every step of every run would write a page of its own for it.
    `CREATE TABLE step_2 (
       run_id TEXT NOT NULL REFERENCES run (id),
       key TEXT NOT NULL,
       project_id TEXT NOT NULL,
       place BIGINT NOT NULL,
       kind TEXT NOT NULL,
       name TEXT NOT NULL,
       input_hash TEXT NOT NULL,
       input TEXT NOT NULL,
       output TEXT NOT NULL,
       is_error BIGINT NOT NULL CHECK (is_error IN (0, 1)),
       usage TEXT,
       cost_nano BIGINT NOT NULL,
       started_at BIGINT NOT NULL,
       ended_at BIGINT NOT NULL,
       PRIMARY KEY (run_id, key)
     )`,
    `INSERT INTO step_2 SELECT run_id, key, project_id, place, kind, name, input_hash, input, output, is_error, usage, cost_nano,
       started_at, ended_at FROM step`,
    'DROP TABLE step',
    'ALTER TABLE step_2 RENAME TO step',
    // The ledger of a run is found through its reservations.
    'DROP INDEX settlement_run',
  ],
  [
    // What is written with every call refers to its run when the transaction ends, not while several rows are written, which
    // would keep a copy of each page. No row changes by that, so that no table is made anew.
    'PRAGMA writable_schema=ON',
    `UPDATE sqlite_schema SET sql = replace(replace(sql, ${deferred('run')}), ${deferred('reservation')})
       WHERE type = 'table' AND name IN ('reservation', 'reservation_proof', 'settlement', 'intent', 'step', 'event')`,
    'PRAGMA writable_schema=RESET',
  ],
];

/** Brings a database to the newest version in one transaction. Throws STORAGE_NEWER and leaves a newer one untouched. */
export const migrate = (connection: Connection, migrations: readonly (readonly string[])[] = MIGRATIONS): void => {
  // A table that others refer to could not be made anew otherwise. Without effect inside of a transaction.
  connection.exec('PRAGMA foreign_keys=OFF');
  try {
    migrateInTransaction(connection, migrations);
  } finally {
    connection.exec('PRAGMA foreign_keys=ON');
  }
};

const migrateInTransaction = (connection: Connection, migrations: readonly (readonly string[])[]): void => {
  connection.exec('BEGIN IMMEDIATE');
  try {
    connection.exec('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)');
    const found = connection.run('SELECT coalesce(max(version), 0) AS version FROM schema_version').rows[0]?.[
      'version'
    ];
    const current = typeof found === 'number' ? found : 0;
    if (current > migrations.length) {
      throw new CloutError(
        'STORAGE_NEWER',
        `The database has version ${current}, this program knows up to ${migrations.length}`,
        {
          details: { found: current, known: migrations.length },
        },
      );
    }
    for (const [index, statements] of migrations.entries()) {
      const version = index + 1;
      if (version <= current) continue;
      for (const statement of statements) connection.exec(statement);
      connection.run('INSERT INTO schema_version (version) VALUES (?)', [version]);
    }
    const [broken] = current === migrations.length ? [] : connection.run('PRAGMA foreign_key_check').rows;
    if (broken !== undefined) {
      throw new CloutError('STORAGE_CORRUPT', 'A row of the database points to another that does not exist', {
        details: { table: String(broken['table']) },
      });
    }
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
};
