import { expect, it } from 'vitest';
import { raceOfReaders } from '../fixtures/read-race.ts';

const SECONDS = 60;
const READS = 100_000;

it(`[F14] 4 readers, ${SECONDS} s and again until they have read ${READS} changes, beside writers: no torn read, no page that repeats or misses`, async () => {
  let all = 0;
  while (all < READS) {
    const { reads, pages, written, torn } = await raceOfReaders(SECONDS * 1000);
    expect(torn).toEqual([]);
    expect(written).toBeGreaterThan(20);
    expect(pages).toBeGreaterThan(100);
    all += reads;
  }
}, 1_800_000);
