import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { begin, stepRow, tempFolder } from './testing/support.ts';
import { openSqlite } from './libsql.ts';
import { createStore, openStore } from './store.ts';
import type { SqlUnit } from './unit.ts';
import { openWriter, type Writer } from './writer.ts';

const start = async (
  maxPages?: number,
): Promise<AsyncDisposable & { readonly writer: Writer; readonly file: string }> => {
  const folder = await tempFolder();
  const file = path.join(folder.dir, 'store.db');
  const writer = await openWriter(maxPages === undefined ? { file } : { file, maxPages });
  return {
    writer,
    file,
    [Symbol.asyncDispose]: async () => {
      await writer.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};

const put = (hash: string, tokens = 1): SqlUnit => ({
  mode: 'write',
  statements: [
    {
      sql: 'INSERT INTO prefix_tokens (model, prefix_hash, tokens, place) VALUES (?, ?, ?, ?)',
      params: ['m', hash, tokens, tokens],
    },
  ],
});
const count: SqlUnit = { mode: 'read', statements: [{ sql: 'SELECT count(*) AS n FROM prefix_tokens', params: [] }] };
const counted = (n: number): unknown => expect.objectContaining({ answers: [{ rows: [{ n }], changes: 1 }] });

describe('the thread that owns the database', () => {
  it('syncs every commit to disk, and holds foreign keys', async () => {
    await using started = await start();
    const pragmas = ['journal_mode', 'synchronous', 'foreign_keys'];
    const outcome = await started.writer.submit({
      mode: 'read',
      statements: pragmas.map((name) => ({ sql: `SELECT * FROM pragma_${name}`, params: [] })),
    });
    const rows = outcome.kind === 'done' ? outcome.answers.flatMap((answer) => answer.rows) : [];
    expect(rows).toEqual([{ journal_mode: 'wal' }, { synchronous: 2 }, { foreign_keys: 1 }]);
  });

  it('reads what was confirmed before, and finishes what was submitted before it closes', async () => {
    await using started = await start();
    const written = Array.from({ length: 500 }, (_, n) => started.writer.submit(put(`h${n}`, n)));
    const read = started.writer.submit(count);
    const closed = started.writer.close();
    await expect(started.writer.submit(count)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await Promise.all(written);
    await closed;
    expect(await read).toMatchObject({ kind: 'done' });
    const writer = await openWriter({ file: started.file });
    expect(await writer.submit(count)).toEqual(counted(500));
    await writer.close();
  });

  it('[X2.loop-lag] leaves the main thread alone while it waits for the disk', async () => {
    await using started = await start();
    const foreign = openSqlite(started.file, { busyTimeoutMs: 0 });
    foreign.exec('BEGIN IMMEDIATE');
    let done = false;
    const pending = started.writer.submit(put('a')).finally(() => (done = true));
    // On this thread the lock could not be released, and the unit would end as busy.
    for (let turn = 0; turn < 20; turn += 1) await systemClock.sleep(5);
    expect(done).toBe(false);
    foreign.exec('ROLLBACK');
    foreign.close();
    await pending;
    expect(await started.writer.submit(count)).toEqual(counted(1));
  });

  it.each(['throw', 'exit'])('rejects everything when it dies, and never hangs: %s', async (file) => {
    const writer = await openWriter({ file }, new URL('./fixtures/dying-worker.mjs', import.meta.url));
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => writer.submit(count)));
    for (const result of results) expect(result).toMatchObject({ reason: { code: 'STORAGE_FAILED' } });
    await expect(writer.submit(count)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await writer.close();
  });

  it('leaves a whole database behind when it is ended in the middle of its work', async () => {
    await using started = await start();
    const results = Promise.allSettled(Array.from({ length: 500 }, (_, n) => started.writer.submit(put(`h${n}`, n))));
    await started.writer.kill();
    const confirmed = (await results).filter((result) => result.status === 'fulfilled').length;
    await expect(started.writer.submit(count)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const store = await openStore({ dir: path.dirname(started.file), clock: systemClock });
    for (let n = 0; n < confirmed; n += 1) expect(await store.getPrefixTokens('m', `h${n}`)).toBe(n);
    expect(await store.checkInvariants()).toEqual([]);
    await store.close();
  });

  it.each(['close', 'leave'])('lets the process end when it is idle, and not before: %s', async (how) => {
    await using folder = await tempFolder();
    const script = fileURLToPath(new URL('./fixtures/leave.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, folder.dir, how]);
    expect(stdout.trim()).toBe(how === 'close' ? 'closed' : '');
    const store = await openStore({ dir: folder.dir, clock: systemClock });
    expect(await store.getPrefixTokens('m', `${how} 49`)).toBe(49);
    await store.close();
  });

  it('cannot be started from what is not there', async () => {
    await using folder = await tempFolder();
    const opening = openWriter({ file: path.join(folder.dir, 'a.db') }, new URL('./none.js', import.meta.url));
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('bounds what one unit carries and what waits', async () => {
    await using started = await start();
    const huge = 'x'.repeat(65 * 1024 * 1024);
    await expect(started.writer.submit(put(huge))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const waiting = Array.from({ length: 10_000 }, () => started.writer.submit(count));
    await expect(started.writer.submit(count)).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
    await Promise.all(waiting);
    expect(await started.writer.submit(count)).toEqual(counted(0));
  });
});

describe('a database that cannot be used', () => {
  it('[D9] is STORAGE_FULL without space, keeps what it has, and the process lives on', async () => {
    await using started = await start(120);
    const store = createStore(started.writer, systemClock);
    const claim = await begin(store, 'run_1');
    const fill = async (): Promise<void> => {
      for (let n = 0; ; n += 1)
        await store.commit(claim, { steps: [stepRow(`k${n}`, { output: 'x'.repeat(20_000) })] });
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    const { steps } = await store.run('run_1');
    expect(steps.length).toBeGreaterThan(0);
    expect(await store.checkInvariants()).toEqual([]);
  });

  it('is STORAGE_CORRUPT when it is not a database', async () => {
    await using folder = await tempFolder();
    await writeFile(path.join(folder.dir, 'store.db'), 'no database '.repeat(1000));
    const opening = openStore({ dir: folder.dir, clock: systemClock });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  });

  it('is STORAGE_NEWER when a newer version wrote it', async () => {
    await using folder = await tempFolder();
    const store = await openStore({ dir: folder.dir, clock: systemClock });
    await store.close();
    const connection = openSqlite(path.join(folder.dir, 'store.db'), { busyTimeoutMs: 0 });
    connection.run('INSERT INTO schema_version (version) VALUES (?)', [1000]);
    connection.close();
    await expect(openStore({ dir: folder.dir, clock: systemClock })).rejects.toMatchObject({ code: 'STORAGE_NEWER' });
  });

  it('is STORAGE_READONLY where nothing may be written', async () => {
    await using folder = await tempFolder();
    const dir = path.join(folder.dir, 'data');
    await mkdir(dir);
    await (await openStore({ dir, clock: systemClock })).close();
    await chmod(path.join(dir, 'store.db'), 0o444);
    await chmod(dir, 0o555);
    const script = fileURLToPath(new URL('./fixtures/open.mjs', import.meta.url));
    const open = [process.execPath, script, dir];
    // Permissions do not bind the superuser; a read-only mount of its own does.
    const readOnly = 'mount --bind "$3" "$3" && mount -o remount,ro,bind "$3" && exec "$1" "$2" "$3"';
    const [program = '', ...args] =
      process.getuid?.() === 0 ? ['unshare', '--mount', 'sh', '-c', readOnly, 'sh', ...open] : open;
    const { stdout } = await promisify(execFile)(program, args);
    await chmod(dir, 0o755);
    expect(stdout.trim()).toBe('STORAGE_READONLY');
  });

  it('is STORAGE_READONLY when the data folder is a file', async () => {
    await using folder = await tempFolder();
    await writeFile(path.join(folder.dir, 'file'), '');
    for (const dir of [path.join(folder.dir, 'file'), path.join(folder.dir, 'file', 'deeper')]) {
      await expect(openStore({ dir, clock: systemClock })).rejects.toMatchObject({ code: 'STORAGE_READONLY' });
    }
  });
});
