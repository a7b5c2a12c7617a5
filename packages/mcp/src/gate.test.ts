import { expect, test } from 'vitest';
import { createGate } from './gate.ts';

test('[E6.pool] so many start at once, the others in order, also after one that fails', async () => {
  const gate = createGate(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = (n: number) => async (): Promise<number> => {
    begun.push(n);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (n === 1) throw new Error('a bad server');
    return n;
  };
  const all = await Promise.allSettled([0, 1, 2, 3, 4].map((n) => gate.run(work(n))));
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
});
