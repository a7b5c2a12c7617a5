import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from './testing/support.ts';
import { openSqlite, type Connection, type SqlValue } from './libsql.ts';

const memory = (): Connection => openSqlite(':memory:', { busyTimeoutMs: 0 });
const echo = (connection: Connection, value: SqlValue): unknown =>
  connection.run('SELECT ? AS value', [value]).rows[0]?.['value'];
/** What the types forbid, as wrong code would pass it. */
const wrongly = (value: unknown): SqlValue => value as SqlValue;

describe('the traps of libsql', () => {
  it('aborts no process on a boolean, but stores 0 and 1', () => {
    const connection = memory();
    expect([echo(connection, true), echo(connection, false)]).toEqual([1, 0]);
  });

  it('refuses text that would come back cut at NUL or with a replaced surrogate', () => {
    const connection = memory();
    expect(() => echo(connection, 'a\0b')).toThrow(TypeError);
    expect(() => echo(connection, 'a\ud800b')).toThrow(TypeError);
    expect(echo(connection, 'é 😀 \u{10ffff}')).toBe('é 😀 \u{10ffff}');
  });

  it('reads a single null and a single object as the parameter that they are', () => {
    const connection = memory();
    expect(echo(connection, null)).toBeNull();
    for (const value of [{ value: 1 }, [1], new Date(), undefined, 1n, Symbol('x'), () => 1]) {
      expect(() => echo(connection, wrongly(value)), typeof value).toThrow(TypeError);
    }
  });

  it('gives rows without _metadata', () => {
    expect(memory().run('SELECT 1 AS one').rows).toEqual([{ one: 1 }]);
  });

  it('rounds no integer, in neither direction', () => {
    const connection = memory();
    expect(echo(connection, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => echo(connection, 2 ** 53)).toThrow(TypeError);
    expect(() => connection.run('SELECT 9007199254740993 AS value')).toThrow(TypeError);
  });

  it('binds numbers as integers and refuses what is none', () => {
    const connection = memory();
    expect(connection.run('SELECT typeof(?) AS type', [3]).rows).toEqual([{ type: 'integer' }]);
    for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => echo(connection, value)).toThrow(TypeError);
    }
    expect(() => connection.run('SELECT 0.5 AS value')).toThrow(TypeError);
    expect(() => connection.run(`SELECT x'00' AS value`)).toThrow(TypeError);
  });

  it('refuses missing and spare parameters, which would be NULL or dropped', () => {
    const connection = memory();
    expect(() => connection.run('SELECT ? AS a, ? AS b', [1])).toThrow(/2 parameters expected, 1 given/u);
    expect(() => connection.run('SELECT ? AS a', [1, 2])).toThrow(/1 parameters expected, 2 given/u);
  });

  it('refuses a second statement, which would not run', () => {
    expect(() => memory().run('SELECT 1; SELECT 2')).toThrow(TypeError);
  });

  it('waits no longer than told for a lock, and says that it is busy', async () => {
    await using folder = await tempFolder();
    const file = path.join(folder.dir, 'a.db');
    const holder = openSqlite(file, { busyTimeoutMs: 0 });
    const other = openSqlite(file, { busyTimeoutMs: 0 });
    holder.exec('BEGIN EXCLUSIVE');
    expect(() => other.exec('BEGIN EXCLUSIVE')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
    holder.exec('ROLLBACK');
    other.exec('BEGIN EXCLUSIVE');
    other.close();
    holder.close();
  });

  it('names extended codes that libsql calls unknown', () => {
    const connection = memory();
    connection.exec('CREATE TABLE t (n INTEGER) STRICT');
    const insert = (): unknown => connection.run('INSERT INTO t VALUES (?)', ['text']);
    expect(insert).toThrow(expect.objectContaining({ code: 'SQLITE_CONSTRAINT' }));
  });

  it('copies a database with VACUUM INTO, since backup() is not implemented', async () => {
    await using folder = await tempFolder();
    const connection = openSqlite(path.join(folder.dir, 'a.db'), { busyTimeoutMs: 0 });
    connection.exec('CREATE TABLE t (a TEXT)');
    connection.run('INSERT INTO t VALUES (?)', ['kept']);
    connection.run('VACUUM INTO ?', [path.join(folder.dir, 'b.db')]);
    connection.close();
    const copy = openSqlite(path.join(folder.dir, 'b.db'), { busyTimeoutMs: 0 });
    expect(copy.run('SELECT a FROM t').rows).toEqual([{ a: 'kept' }]);
    copy.close();
  });
});

describe('a connection', () => {
  it('tells rows from changes, and says what SQLite said', () => {
    const connection = memory();
    connection.exec('CREATE TABLE t (a TEXT PRIMARY KEY, n BIGINT CHECK (n > 0))');
    expect(connection.run('INSERT INTO t VALUES (?, ?)', ['x', 1])).toEqual({ rows: [], changes: 1 });
    expect(connection.run('UPDATE t SET n = n + 1 WHERE a = ?', ['y']).changes).toBe(0);
    expect(connection.run('UPDATE t SET n = n + 1 RETURNING n')).toEqual({ rows: [{ n: 2 }], changes: 1 });
    const insert = (): unknown => connection.run('INSERT INTO t VALUES (?, ?) RETURNING n', ['x', 1]);
    expect(insert).toThrow(expect.objectContaining({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }));
    expect(insert).toThrow(expect.objectContaining({ name: 'SqliteFailure' }));
    expect(() => connection.exec('INSERT INTO t VALUES (NULL, 0)')).toThrow(
      expect.objectContaining({ code: 'SQLITE_CONSTRAINT_CHECK' }),
    );
  });

  it('reads more rows than one batch, and leaves no transaction open', () => {
    const connection = memory();
    connection.exec('CREATE TABLE t (a BIGINT)');
    connection.exec('BEGIN');
    for (let n = 0; n < 1234; n += 1) connection.run('INSERT INTO t VALUES (?)', [n]);
    expect(connection.inTransaction).toBe(true);
    connection.exec('COMMIT');
    const { rows } = connection.run('SELECT a FROM t ORDER BY a');
    expect([rows.length, rows.at(-1), connection.inTransaction]).toEqual([1234, { a: 1233 }, false]);
  });

  it('keeps a bounded number of prepared statements', () => {
    const connection = memory();
    for (let n = 0; n < 1000; n += 1) expect(connection.run(`SELECT ${n} AS n`).rows).toEqual([{ n }]);
  });

  it('cannot be opened where there is no folder', async () => {
    await using folder = await tempFolder();
    const open = (): unknown => openSqlite(path.join(folder.dir, 'none', 'a.db'), { busyTimeoutMs: 0 });
    expect(open).toThrow(expect.objectContaining({ code: 'SQLITE_CANTOPEN' }));
  });
});
