import { expect, it } from 'vitest';
import { killMidStream } from './support/stream-kill.ts';

it('[D12] kill -9 in the middle of a stream, ten times: a reader that comes back with its last id has the whole run in order, and every alert', async () => {
  const { kills, problems, alerts, texts } = await killMidStream(10, 1);
  expect(problems).toEqual([]);
  expect(kills).toBe(10);
  expect(alerts).toBeGreaterThan(0);
  expect(texts).toBeGreaterThan(0);
}, 240_000);
