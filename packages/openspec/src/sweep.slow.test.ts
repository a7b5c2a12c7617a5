import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { USED } from '../fixtures/before.ts';
import { scratch } from '../fixtures/scratch.ts';
import {
  beginSweep,
  disturbed,
  endSweep,
  expectWhole,
  failEverywhere,
  OPERATIONS,
  recorded,
  warm,
  warmOnce,
} from '../fixtures/sweep.ts';
import { startWorker } from '../fixtures/worker.ts';

beforeAll(beginSweep);
afterAll(endSweep);

describe.runIf(process.platform === 'linux')('every system call', { timeout: 300_000 }, () => {
  it.each(OPERATIONS)(
    '[F3] [T8.atomic] %s: killed there, the next operation finds a whole state',
    async (operation) => {
      const { points, before, after } = await recorded(operation);
      expect(points.length).toBeGreaterThan(8);
      await using checker = await startWorker();
      let killed = 0;
      let upcoming = startWorker();
      for (const point of points) {
        await using victim = await upcoming;
        upcoming = startWorker();
        await using folder = await scratch(USED);
        await warmOnce(victim, operation);
        const told = await disturbed(victim, { operation, point, fault: 'signal=KILL', folder });
        if (told === undefined) killed += 1;
        const what = `${operation} killed at ${point.name} ${point.nth}: ${point.line}`;
        await expectWhole(folder, { before, after, allowed: [before, after] }, { operation, what }, checker);
      }
      await (await upcoming)[Symbol.asyncDispose]();
      expect(killed).toBe(points.length);
    },
  );

  it.each(OPERATIONS)('[F4] %s: ENOSPC and EIO there are told, and the process goes on', async (operation) => {
    const told = await failEverywhere(operation, { ENOSPC: 'STORAGE_FULL', EIO: 'STORAGE_FAILED' });
    expect(told.get('STORAGE_FULL')).toBeGreaterThan(5);
    expect(told.get('STORAGE_FAILED')).toBeGreaterThan(5);
  });

  it.each([
    ['EROFS', 'mkdir', 'STORAGE_READONLY'],
    ['EROFS', 'openat', 'STORAGE_READONLY'],
    ['EDQUOT', 'fsync', 'STORAGE_FULL'],
    ['EDQUOT', 'write', 'STORAGE_FULL'],
    ['EDQUOT', 'openat', 'STORAGE_FULL'],
    ['EMFILE', 'openat', 'STORAGE_FAILED'],
    ['EACCES', 'rename', 'STORAGE_READONLY'],
    ['EACCES', 'openat', 'STORAGE_READONLY'],
  ])('[F4] %s at %s is %s', async (errno, call, code) => {
    await using worker = await startWorker();
    await warm(worker);
    for (const operation of OPERATIONS) {
      const { points, before, after } = await recorded(operation);
      const point = points.findLast(({ name }) => name === call);
      if (point === undefined) continue;
      await using folder = await scratch(USED);
      const answer = await disturbed(worker, { operation, point, fault: `error=${errno}`, folder });
      const what = `${operation}: ${errno} at ${call} ${point.nth}`;
      expect(['ok', code], what).toContain(answer);
      await expectWhole(folder, { before, after, allowed: [before, after] }, { operation, what }, worker);
    }
  });
});
