import { readdir, stat, mkdir, copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { backUpStore } from './backup.ts';
import { openStore } from './store.ts';
import { begin, reserve, tempFolder } from './testing/support.ts';

/** A copy in the place of the database of a new data folder. */
const restored = async (copy: string, dir: string) => {
  await mkdir(dir);
  await copyFile(copy, path.join(dir, 'store.db'));
  return openStore({ dir, clock: systemClock });
};
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );

describe('[D14] a backup', () => {
  it('while units are committed is the database of one moment: whole, for its owner alone, and nothing beside it', async () => {
    await using folder = await tempFolder();
    const data = path.join(folder.dir, 'data');
    const store = await openStore({ dir: data, clock: systemClock });
    const claim = await begin(store, 'run_1');
    const enough = new AbortController();
    let units = 0;
    const write = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        units += 1;
        const key = `task[1]/try[0]/turn[${units}]`;
        await store.commit(claim, { money: [reserve('run_1', `r${units}`, 7, key)] });
      }
    };
    const work = write();
    const copies: string[] = [];
    for (let nth = 0; nth < 5; nth += 1) {
      const before = units;
      await expect.poll(() => units, { interval: 1 }).toBeGreaterThan(before + 5);
      const file = path.join(folder.dir, `copy-${nth}.db`);
      const { bytes } = await backUpStore({ dir: data, file });
      const { size, mode } = await stat(file);
      expect([bytes, mode & 0o777]).toEqual([size, 0o600]);
      copies.push(file);
    }
    enough.abort();
    await work;
    expect(await store.checkInvariants()).toEqual([]);
    await store.close();
    const held: number[] = [];
    for (const [nth, copy] of copies.entries()) {
      const again = await restored(copy, path.join(folder.dir, `data-${nth}`));
      expect(await again.checkInvariants()).toEqual([]);
      held.push((await again.ledger('run_1')).length);
      await again.close();
    }
    expect(held).toEqual(held.toSorted((a, b) => a - b));
    expect(new Set(held).size).toBe(5);
    expect((await readdir(folder.dir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is refused over another file, into no folder, and of no database; nothing is made or changed', async () => {
    await using folder = await tempFolder();
    const at = (name: string): string => path.join(folder.dir, name);
    expect(await failure(backUpStore({ dir: folder.dir, file: at('copy.db') }))).toBe('NOT_FOUND');
    await (await openStore({ dir: at('data'), clock: systemClock })).close();
    await writeFile(at('mine.txt'), 'mine');
    expect(await failure(backUpStore({ dir: at('data'), file: at('mine.txt') }))).toBe('INVALID_INPUT');
    expect(await failure(backUpStore({ dir: at('data'), file: at('none/copy.db') }))).toBe('INVALID_INPUT');
    expect(await readFile(at('mine.txt'), 'utf8')).toBe('mine');
    expect((await readdir(folder.dir)).toSorted()).toEqual(['data', 'mine.txt']);
  });

  it('of a damaged database fails and leaves no copy', async () => {
    await using folder = await tempFolder();
    const data = path.join(folder.dir, 'data');
    await mkdir(data);
    await writeFile(path.join(data, 'store.db'), 'this was a database once '.repeat(1000));
    expect(await failure(backUpStore({ dir: data, file: path.join(folder.dir, 'copy.db') }))).toBe('STORAGE_CORRUPT');
    expect(await readdir(folder.dir)).toEqual(['data']);
  });
});
