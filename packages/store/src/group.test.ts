import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from './testing/support.ts';
import { openBooks, type Books } from './books.ts';
import { commitGroup, readUnit } from './group.ts';
import { openSqlite, type Connection } from './libsql.ts';
import type { SqlUnit, Statement } from './unit.ts';

const open = async (): Promise<AsyncDisposable & { readonly connection: Connection; readonly books: Books }> => {
  const folder = await tempFolder();
  const connection = openSqlite(path.join(folder.dir, 'a.db'), { busyTimeoutMs: 0 });
  connection.run('PRAGMA journal_mode=WAL');
  connection.exec('CREATE TABLE t (a TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0))');
  return {
    connection,
    books: openBooks(connection),
    [Symbol.asyncDispose]: async () => {
      connection.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};

const unit = (...statements: readonly Statement[]): SqlUnit => ({ mode: 'write', statements });
const insert = (a: string, n = 0): Statement => ({ sql: 'INSERT INTO t VALUES (?, ?)', params: [a, n] });
const keys = (connection: Connection): unknown =>
  connection.run('SELECT a FROM t ORDER BY a').rows.map((row) => row['a']);

describe('[X2.atomic] a group of units', () => {
  it('keeps the good ones and rolls each bad one back alone', async () => {
    await using opened = await open();
    const outcomes = commitGroup(opened.connection, opened.books, [
      unit(insert('a')),
      unit(insert('b'), { ...insert('c'), expectChanges: 2 }),
      unit(insert('d'), insert('a')),
      unit(insert('e'), { sql: 'nonsense', params: [] }),
      unit(insert('f'), insert('g', -1)),
      unit(insert('h'), { sql: 'INSERT INTO t VALUES (?, ?)', params: ['i'] }),
      unit(insert('z')),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([
      'done',
      'refused',
      'failed',
      'failed',
      'failed',
      'failed',
      'done',
    ]);
    expect(outcomes[1]).toEqual({ kind: 'refused', index: 1, explained: [] });
    expect(outcomes[2]).toMatchObject({ failure: { details: { sqlite: 'SQLITE_CONSTRAINT_PRIMARYKEY' } } });
    expect(keys(opened.connection)).toEqual(['a', 'z']);
    expect(opened.connection.inTransaction).toBe(false);
  });

  it('lets a unit see what the units before it did', async () => {
    await using opened = await open();
    const add: Statement = { sql: 'UPDATE t SET n = n + 1 WHERE a = ? AND n < 2', params: ['a'], expectChanges: 1 };
    const outcomes = commitGroup(opened.connection, opened.books, [unit(insert('a')), unit(add), unit(add), unit(add)]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['done', 'done', 'done', 'refused']);
  });

  it('explains a refusal from inside of the unit, before it is rolled back', async () => {
    await using opened = await open();
    const explain = { sql: 'SELECT n FROM t WHERE a = ?', params: ['a'] };
    const [outcome] = commitGroup(opened.connection, opened.books, [
      unit(insert('a', 7), { sql: 'UPDATE t SET n = 0 WHERE a = ?', params: ['none'], expectChanges: 1, explain }),
    ]);
    expect(outcome).toEqual({ kind: 'refused', index: 1, explained: [{ n: 7 }] });
    expect(keys(opened.connection)).toEqual([]);
  });

  it('is one transaction, so one sync: the log gets one page, however many units change it', async () => {
    await using opened = await open();
    commitGroup(opened.connection, opened.books, [unit(insert('a'))]);
    opened.connection.run('PRAGMA wal_checkpoint(TRUNCATE)');
    const add: Statement = { sql: 'UPDATE t SET n = n + 1', params: [], expectChanges: 1 };
    commitGroup(
      opened.connection,
      opened.books,
      Array.from({ length: 50 }, () => unit(add)),
    );
    expect(opened.connection.run('SELECT n FROM t').rows).toEqual([{ n: 50 }]);
    expect(opened.connection.run('PRAGMA wal_checkpoint(PASSIVE)').rows).toMatchObject([{ log: 1 }]);
  });

  it('fails only the units that do not fit on a full disk', async () => {
    await using opened = await open();
    const pages = opened.connection.run('PRAGMA page_count').rows[0]?.['page_count'];
    opened.connection.run(`PRAGMA max_page_count=${Number(pages) + 2}`);
    const outcomes = commitGroup(opened.connection, opened.books, [
      unit(insert('a')),
      unit(insert('b'.repeat(100_000))),
      unit(insert('c')),
    ]);
    expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.failure.code : outcome.kind))).toEqual([
      'done',
      'STORAGE_FULL',
      'done',
    ]);
    expect(keys(opened.connection)).toEqual(['a', 'c']);
  });

  it('fails only the unit whose row refers to nothing, which is seen at the end of the group', async () => {
    await using opened = await open();
    opened.connection.exec('PRAGMA foreign_keys=ON');
    opened.connection.exec('CREATE TABLE u (a TEXT REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)');
    const refer = (a: string): Statement => ({ sql: 'INSERT INTO u VALUES (?)', params: [a] });
    const outcomes = commitGroup(opened.connection, opened.books, [
      unit(refer('a'), insert('a')),
      unit(insert('b'), refer('none')),
      unit(insert('c')),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['done', 'failed', 'done']);
    expect(keys(opened.connection)).toEqual(['a', 'c']);
  });

  it('does again what a unit took with it that lost the whole transaction', async () => {
    await using opened = await open();
    const outcomes = commitGroup(opened.connection, opened.books, [
      unit(insert('a')),
      unit(insert('b'), { sql: 'INSERT OR ROLLBACK INTO t VALUES (?, ?)', params: ['a', 1] }),
      unit(insert('c')),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['done', 'failed', 'done']);
    expect(keys(opened.connection)).toEqual(['a', 'c']);
  });

  it('fails as a whole where the database cannot be begun', async () => {
    await using opened = await open();
    opened.connection.exec('PRAGMA query_only=ON');
    const outcomes = commitGroup(opened.connection, opened.books, [unit(insert('a')), unit(insert('b'))]);
    expect(outcomes).toMatchObject([
      { failure: { code: 'STORAGE_READONLY' } },
      { failure: { code: 'STORAGE_READONLY' } },
    ]);
    opened.connection.exec('PRAGMA query_only=OFF');
    expect(commitGroup(opened.connection, opened.books, [unit(insert('a'))])).toMatchObject([{ kind: 'done' }]);
  });
});

describe('a unit that reads', () => {
  it('ends its transaction, also when it fails', async () => {
    await using opened = await open();
    commitGroup(opened.connection, opened.books, [unit(insert('a'))]);
    const read = (sql: string): unknown =>
      readUnit(opened.connection, { mode: 'read', statements: [{ sql, params: [] }] });
    expect(read('SELECT a FROM t')).toEqual({ kind: 'done', answers: [{ rows: [{ a: 'a' }], changes: 1 }] });
    expect(read('SELECT nonsense FROM t')).toMatchObject({ kind: 'failed', failure: { code: 'INTERNAL_ERROR' } });
    expect(opened.connection.inTransaction).toBe(false);
  });
});
