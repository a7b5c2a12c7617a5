import { expect, it } from 'vitest';
import { fuzzTaskMcp } from './support/fuzz.ts';

it('[H15] neither do 100,000', { timeout: 1_800_000 }, async () => {
  expect(await fuzzTaskMcp(100_000)).toEqual([]);
});
