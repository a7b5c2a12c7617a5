import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openSqlite, type Connection } from './libsql.ts';
import { migrate, MIGRATIONS } from './migrations.ts';

const memory = (): Connection => openSqlite(':memory:', { busyTimeoutMs: 0 });
const schema = (connection: Connection): unknown =>
  connection.run('SELECT name, sql FROM sqlite_schema ORDER BY name').rows;
const versions = (connection: Connection): unknown =>
  connection.run('SELECT version FROM schema_version ORDER BY version').rows.map((row) => row['version']);

describe('migrations', () => {
  it('bring an empty database to the newest version, and do nothing the second time', () => {
    const connection = memory();
    migrate(connection);
    const first = schema(connection);
    migrate(connection);
    expect(schema(connection)).toEqual(first);
    expect(versions(connection)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it('add only what is missing, and keep the data', () => {
    const connection = memory();
    migrate(connection, [['CREATE TABLE a (x TEXT)']]);
    connection.run('INSERT INTO a VALUES (?)', ['kept']);
    migrate(connection, [['CREATE TABLE a (x TEXT)'], ['ALTER TABLE a ADD COLUMN y TEXT', 'CREATE TABLE b (x TEXT)']]);
    expect(connection.run('SELECT x, y FROM a').rows).toEqual([{ x: 'kept', y: null }]);
    expect(versions(connection)).toEqual([1, 2]);
  });

  it('[D14] keep the runs of the first version, with all that points to them', () => {
    const connection = memory();
    migrate(connection, MIGRATIONS.slice(0, 1));
    connection.exec(`INSERT INTO run (id, project_id, slug, status, simulated, fence, document, document_hash, summary, created_at, updated_at)
      VALUES ('run_1', 'prj', 's', 'paused', 1, 3, '{}', 'h', '{}', 1, 2)`);
    connection.exec(`INSERT INTO event VALUES ('run_1', 1, 'prj', 5, 'money', '{}')`);
    migrate(connection);
    expect(connection.run('SELECT id, kind, status, fence FROM run').rows).toEqual([
      { id: 'run_1', kind: 'change', status: 'paused', fence: 3 },
    ]);
    expect(connection.run('PRAGMA foreign_key_check').rows).toEqual([]);
    // The references hold again, and lead to the new table.
    expect(() => connection.exec(`INSERT INTO event VALUES ('run_2', 1, 'prj', 5, 'money', '{}')`)).toThrow(
      /FOREIGN KEY/u,
    );
    expect(() => connection.exec(`DELETE FROM run`)).toThrow(/FOREIGN KEY/u);
  });

  it('[D14] keep the steps and settlements of the third version', () => {
    const connection = memory();
    migrate(connection, MIGRATIONS.slice(0, 3));
    connection.exec(`INSERT INTO run (id, project_id, kind, slug, status, simulated, fence, document, document_hash, summary,
      created_at, updated_at) VALUES ('run_1', 'prj', 'change', 's', 'running', 0, 1, '{}', 'h', '{}', 1, 2)`);
    const step = (key: string, place: number): string =>
      `INSERT INTO step (run_id, key, project_id, place, kind, name, input_hash, input, output, is_error, usage, cost_nano,
        started_at, ended_at) VALUES ('run_1', '${key}', 'prj', ${place}, 'model', '"m"', 'h', '1', '"${key}"', 0, NULL, 7, 8, 9)`;
    connection.exec(step('z', 1));
    connection.exec(step('a', 2));
    const rows = (): unknown => connection.run('SELECT * FROM step ORDER BY place').rows;
    const before = rows();
    migrate(connection);
    expect(rows()).toEqual(before);
    expect(() => connection.exec(step('a', 3))).toThrow(/UNIQUE/u);
    expect(() => connection.exec(step('b', 3).replaceAll('run_1', 'run_2'))).toThrow(/FOREIGN KEY/u);
    expect(
      connection.run(`SELECT name FROM sqlite_schema WHERE tbl_name = 'step' AND type = 'index'`).rows,
    ).toHaveLength(1);
  });

  it('look at the references of what calls write when the transaction ends', () => {
    const connection = memory();
    migrate(connection);
    connection.exec('BEGIN');
    for (const sql of [
      `INSERT INTO event VALUES ('run_1', 1, 'prj', 5, 'money', '{}')`,
      `INSERT INTO intent VALUES ('run_1', 'k', 'prj', 'h', 0, '"n"', 5)`,
      `INSERT INTO settlement (reservation_id, project_id, run_id, outcome, amount_nano, settled_at)
       VALUES ('rsv_1', 'prj', 'run_1', 'known', 1, 5)`,
    ])
      connection.exec(sql);
    expect(() => connection.exec('COMMIT')).toThrow(/FOREIGN KEY/u);
    connection.exec('ROLLBACK');
  });

  it('[D14] refuse to finish where a row points nowhere, and leave the database as it was', () => {
    const connection = memory();
    migrate(connection, MIGRATIONS.slice(0, 1));
    connection.exec('PRAGMA foreign_keys=OFF');
    connection.exec(`INSERT INTO event VALUES ('run_2', 1, 'prj', 5, 'money', '{}')`);
    const before = schema(connection);
    expect(() => migrate(connection)).toThrow(/points to another/u);
    expect(schema(connection)).toEqual(before);
  });

  it('leave nothing behind when one of them fails', () => {
    const connection = memory();
    migrate(connection, [['CREATE TABLE a (x TEXT)']]);
    const before = schema(connection);
    const broken = [['CREATE TABLE a (x TEXT)'], ['CREATE TABLE b (x TEXT)'], ['CREATE TABLE c (x TEXT)', 'nonsense']];
    expect(() => migrate(connection, broken)).toThrow(/nonsense/u);
    expect(schema(connection)).toEqual(before);
    expect([versions(connection), connection.inTransaction]).toEqual([[1], false]);
  });

  it('refuse a newer database with STORAGE_NEWER and do not touch it', () => {
    const connection = memory();
    migrate(connection);
    connection.run('INSERT INTO schema_version (version) VALUES (?)', [99]);
    const before = schema(connection);
    let thrown: unknown;
    try {
      migrate(connection);
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe('STORAGE_NEWER');
    expect(thrown).toMatchObject({ details: { found: 99, known: MIGRATIONS.length } });
    expect(schema(connection)).toEqual(before);
  });
});
