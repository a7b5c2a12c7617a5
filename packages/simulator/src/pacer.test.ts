import type { Clock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createPacer } from './pacer.ts';

/** A clock whose time passes only while somebody sleeps. */
const sleepyClock = () => {
  let nowMs = 0;
  let sleeps = 0;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (ms) => {
      sleeps += 1;
      await Promise.resolve();
      nowMs += ms;
    },
  };
  return { clock, nowMs: () => nowMs, sleeps: () => sleeps };
};

describe('[X7.http] the pace of streams', () => {
  it('holds on average for a hundred streams, with one timer', async () => {
    const { clock, nowMs, sleeps } = sleepyClock();
    const pacer = createPacer(clock);
    const ends = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const pace = pacer.open(new AbortController().signal);
        for (let token = 0; token < 40; token += 1) await pace.wait(23);
        return nowMs();
      }),
    );
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(40 * 23);
    expect(Math.max(...ends)).toBeLessThanOrEqual(40 * 23 + 5);
    expect(sleeps()).toBe(nowMs() / 5);
  });

  it('ends with the client and leaves no timer behind', async () => {
    const { clock, nowMs } = sleepyClock();
    const client = new AbortController();
    const pace = createPacer(clock).open(client.signal);
    await pace.wait(10);
    const waiting = pace.wait(60_000);
    client.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(pace.wait(1)).rejects.toThrow('gone');
    expect(nowMs()).toBeLessThan(100);
  });
});
