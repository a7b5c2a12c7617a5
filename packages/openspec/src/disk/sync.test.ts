import { open } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../fixtures/scratch.ts';
import { syncOf } from './sync.ts';

/** Was the disk waited for in place? Each wait takes `tookMs` on the clock. */
const waits = async (file: number, tookMs: readonly number[]): Promise<boolean[]> => {
  let now = 0;
  let looks = 0;
  const took = (): number => tookMs[Math.floor(looks / 2)] ?? 0;
  const sync = syncOf({
    now: () => 0,
    sleep: () => Promise.resolve(),
    monotonic: () => {
      now += looks % 2 === 1 ? took() : 0;
      looks += 1;
      return now;
    },
  });
  const inPlace: boolean[] = [];
  for (const _ of tookMs) {
    const done = sync(file);
    // In place, both looks at the clock are over by now.
    inPlace.push(looks % 2 === 0);
    await done;
  }
  return inPlace;
};

describe('a wait for the disk', () => {
  it('is in place while the disk is fast, and in another thread from the first time that it is not', async () => {
    await using folder = await scratch({ file: 'x' });
    await using file = await open(path.join(folder.root, 'file'), 'r+');
    // The first is not known to be fast.
    expect(await waits(file.fd, [0.1, 0.1, 0.4, 20, 20, 0.3, 0.2])).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('fails as the disk does, wherever it waits', async () => {
    const sync = syncOf({ now: () => 0, sleep: () => Promise.resolve(), monotonic: () => 0 });
    await expect(sync(987_654)).rejects.toMatchObject({ code: 'EBADF' });
    await using folder = await scratch({ file: 'x' });
    await using file = await open(path.join(folder.root, 'file'), 'r+');
    await sync(file.fd);
    await expect(sync(987_654)).rejects.toMatchObject({ code: 'EBADF' });
  });
});
