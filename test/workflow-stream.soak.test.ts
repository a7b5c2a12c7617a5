import { expect, it } from 'vitest';
import { killMidStream } from './support/stream-kill.ts';

it('[D12] kill -9 in the middle of a stream, a hundred times: no gap, no duplicate, the whole run in order', async () => {
  const figures = await killMidStream(100, 2);
  process.stdout.write(`stream: ${JSON.stringify(figures)}\n`);
  expect(figures.problems).toEqual([]);
  expect(figures.kills).toBe(100);
}, 1_800_000);
