import { once } from 'node:events';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { giveMemoryBack } from './give-back.ts';

it('gives back what a burst has left behind, once, and nothing while there is work', async () => {
  // A thread of its own has a heap of its own: nothing else is at work in it.
  const thread = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const { getHeapStatistics } = require('node:v8');
     const size = () => getHeapStatistics().total_heap_size;
     import(workerData).then(({ giveMemoryBack }) => {
       let burst = Array.from({ length: 400_000 }, (_, at) => ({ at, text: 'left behind ' + at }));
       const full = size();
       burst = undefined;
       let busy = true;
       const work = () => { const end = performance.now() + 20; while (performance.now() < end); if (busy) setImmediate(work); };
       work();
       giveMemoryBack();
       setTimeout(() => {
         parentPort.postMessage({ while: 'busy', full, now: size() });
         busy = false;
         const look = setInterval(() => {
           if (size() > full / 2) return;
           clearInterval(look);
           parentPort.postMessage({ while: 'quiet', full, now: size() });
         }, 20);
       }, 1_500);
     });`,
    { eval: true, execArgv: [], workerData: new URL('../dist/give-back.js', import.meta.url).href },
  );
  try {
    const [busy] = (await once(thread, 'message')) as [{ full: number; now: number }];
    expect(busy.now).toBeGreaterThan(busy.full / 2);
    const [quiet] = (await once(thread, 'message')) as [{ full: number; now: number }];
    expect(quiet.now).toBeLessThan(quiet.full / 2);
  } finally {
    await thread.terminate();
  }
}, 60_000);

it('leaves a heap alone that has nothing to give back', async () => {
  let collections = 0;
  const stop = giveMemoryBack((done) => {
    collections += 1;
    done();
  });
  try {
    await expect.poll(() => collections, { timeout: 60_000, interval: 50 }).toBe(1);
    expect(getHeapStatistics().total_heap_size).toBeGreaterThan(0);
  } finally {
    stop();
  }
}, 60_000);
