import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START, USED } from '../fixtures/before.ts';
import { scratch } from '../fixtures/scratch.ts';
import { mountSmall, PAGE, smallDiskProblem } from '../fixtures/small-disk.ts';
import { beginSweep, endSweep, expectWhole, OPERATIONS, recorded, warm } from '../fixtures/sweep.ts';
import { startWorker } from '../fixtures/worker.ts';

/** What an operation finds: so many pages, or inodes, are left beside the files. */
const LEFT = 14;

beforeAll(beginSweep);
afterAll(endSweep);

describe.runIf(process.platform === 'linux')(
  '[F4] a disk that really is full, or read-only',
  { timeout: 600_000 },
  () => {
    it.for(OPERATIONS)('%s is told so, and is done as soon as there is room', async (operation, context) => {
      const problem = smallDiskProblem();
      if (problem !== undefined) context.skip(`No disk can be mounted here: ${problem}`);
      const { before, after } = await recorded(operation);
      await using worker = await startWorker();
      await warm(worker);
      const told = new Map<unknown, number>();
      for (const files of [START, USED]) {
        for (let index = 0; index <= 2 * LEFT; index += 1) {
          using disk = mountSmall();
          await using folder = await scratch(files, disk.root);
          const { pages, inodes } = disk.used();
          const left = index % LEFT;
          const small =
            index === 2 * LEFT ? 'ro' : index < LEFT ? `size=${(pages + left) * PAGE}` : `nr_inodes=${inodes + left}`;
          disk.remount(small);
          const answer = await worker.ask(operation, folder.root);
          told.set(answer, (told.get(answer) ?? 0) + 1);
          const what = `${operation} with ${small} is ${String(answer)}`;
          expect(small === 'ro' ? ['STORAGE_READONLY'] : ['ok', 'STORAGE_FULL'], what).toContain(answer);
          disk.remount('rw,size=4m,nr_inodes=4096');
          const allowed = answer === 'ok' ? [after] : [before, after];
          await expectWhole(folder, { before, after, allowed }, { operation, what }, worker);
        }
      }
      expect(told.get('ok')).toBeGreaterThan(2);
      expect(told.get('STORAGE_FULL')).toBeGreaterThan(2);
      expect(told.get('STORAGE_READONLY')).toBe(2);
    });
  },
);
