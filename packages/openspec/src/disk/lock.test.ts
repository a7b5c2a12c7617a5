import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { scratch, testDisk } from '../../fixtures/scratch.ts';
import { acquireLock } from './lock.ts';
import { isAlive, thisProcess } from './process-mark.ts';

const held = async (folder: string, mark: object | string): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'held-7'), typeof mark === 'string' ? mark : JSON.stringify(mark));
};

const generations = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => /^(?:held|free)-\d+$/u.test(name)).sort();

describe('the generation lock', () => {
  it('lets one in at a time', async () => {
    await using folder = await scratch();
    let inside = 0;
    let most = 0;
    const work = async (): Promise<number> => {
      const lock = await acquireLock(testDisk(folder.root), systemClock, folder.root);
      inside += 1;
      most = Math.max(most, inside);
      await systemClock.sleep(1);
      inside -= 1;
      await lock.release();
      return lock.generation;
    };
    const generations = await Promise.all(Array.from({ length: 20 }, work));
    expect(most).toBe(1);
    expect(new Set(generations).size).toBe(20);
  });

  it('is taken from the dead: of this boot, of an earlier one, and where the mark was cut short', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    for (const mark of [
      { ...thisProcess(), pid },
      { ...thisProcess(), start: '1' },
      { ...thisProcess(), boot: 'x' },
      '{',
    ]) {
      await using folder = await scratch();
      await held(folder.root, mark);
      expect((await acquireLock(testDisk(folder.root), systemClock, folder.root)).generation).toBe(8);
    }
  });

  it('is not taken from the living, nor from whom it cannot judge', async () => {
    const host = { ...thisProcess(), host: 'elsewhere', pid: 1 };
    const container = { ...thisProcess(), namespace: 'pid:[1]', pid: 4_000_000 };
    for (const mark of [thisProcess(), host, container]) {
      await using folder = await scratch();
      await held(folder.root, mark);
      const taking = acquireLock(testDisk(folder.root), systemClock, folder.root, { timeoutMs: 30 });
      await expect(taking).rejects.toMatchObject({ code: 'CHANGE_LOCKED', retryAfter: 1 });
      expect(await readdir(folder.root)).toEqual(['held-7']);
    }
  });

  it('gives way when it slept before its mark and the generation is over', async () => {
    await using folder = await scratch();
    // Between the look and the mark of the sleeper, another takes generation 1 and releases it.
    let isFirst = true;
    const disk = testDisk(folder.root);
    const sleepy = {
      ...disk,
      mark: async (target: string, text: string): Promise<void> => {
        if (isFirst) {
          isFirst = false;
          await (await acquireLock(testDisk(folder.root), systemClock, folder.root)).release();
        }
        await disk.mark(target, text);
      },
    };
    expect((await acquireLock(sleepy, systemClock, folder.root)).generation).toBe(2);
    expect(await generations(folder.root)).toEqual(['free-1', 'held-2']);
  });

  it('keeps the last generations only, and no candidates of the dead', async () => {
    await using folder = await scratch({ 'new-1-x': JSON.stringify({ ...thisProcess(), start: '1' }) });
    for (let count = 0; count < 70; count += 1) {
      await (await acquireLock(testDisk(folder.root), systemClock, folder.root)).release();
    }
    expect(await generations(folder.root)).toHaveLength(16);
    expect(await generations(folder.root)).toContain('free-70');
    // The one that this process marks with stays as long as it lives.
    const candidates = (await readdir(folder.root)).filter((name) => name.startsWith('new-'));
    expect(candidates).toEqual([expect.stringMatching(new RegExp(`^new-${process.pid}-`, 'u'))]);
  });

  it('lets in who has waited for long before who has just released it', async () => {
    await using folder = await scratch();
    const disk = testDisk(folder.root);
    const order: string[] = [];
    let lock = await acquireLock(disk, systemClock, folder.root);
    const waiting = acquireLock(disk, systemClock, folder.root).then(async (taken) => {
      order.push('waiting');
      await taken.release();
    });
    // Between a release and the next mark no timer has its turn.
    for (let count = 0; count < 300 && order.length === 0; count += 1) {
      await systemClock.sleep(5);
      await lock.release();
      lock = await acquireLock(disk, systemClock, folder.root);
    }
    expect(order).toEqual(['waiting']);
    await lock.release();
    await waiting;
    expect((await readdir(folder.root)).filter((name) => name.startsWith('wait-'))).toEqual([]);
  });

  it('waits for no sign of a process that is dead, and takes it away', async () => {
    await using folder = await scratch({ 'wait-x': JSON.stringify({ ...thisProcess(), start: '1' }), 'wait-y': '{' });
    const clock = { ...systemClock, sleep: async () => expect.fail('it waited') };
    await acquireLock(testDisk(folder.root), clock, folder.root);
    expect((await readdir(folder.root)).filter((name) => name.startsWith('wait-'))).toEqual([]);
  });

  it('knows itself as alive', () => {
    expect(isAlive(thisProcess())).toBe(true);
  });
});
