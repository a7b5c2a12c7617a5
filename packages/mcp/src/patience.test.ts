import type { Clock } from '@cloutagent/kit';
import { describe, expect, test } from 'vitest';
import { createPatience } from './patience.ts';

/** A clock that is set by hand. */
const openClock = () => {
  let time = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: time + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(new Error('aborted'));
        });
      }),
  };
  const pass = async (ms: number): Promise<void> => {
    time += ms;
    for (const sleeper of sleepers) if (sleeper.at <= time) sleeper.wake();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, pass };
};

const open = (ms = 100, maxMs = 1_000) => {
  const { clock, pass } = openClock();
  let ends = 0;
  const patience = createPatience(clock, { ms, maxMs }, () => (ends += 1));
  return { patience, pass, ends: () => ends };
};

describe('[E5.timeout] the time of a call', () => {
  test('ends once', async () => {
    const { patience, pass, ends } = open();
    await pass(99);
    expect(patience.over).toBe(false);
    await pass(1);
    expect([patience.over, ends()]).toEqual([true, 1]);
    await pass(1_000);
    expect(ends()).toBe(1);
  });

  test('begins again with every sign of progress, and ends all the same', async () => {
    const { patience, pass } = open(100, 250);
    await pass(90);
    patience.renew();
    await pass(90);
    expect(patience.over).toBe(false);
    patience.renew();
    await pass(69);
    expect(patience.over).toBe(false);
    await pass(1);
    expect(patience.over).toBe(true);
  });

  test('stands still as long as anybody holds it', async () => {
    const { patience, pass } = open();
    await pass(60);
    const first = patience.hold();
    const second = patience.hold();
    await pass(10_000);
    first();
    first();
    await pass(10_000);
    expect(patience.over).toBe(false);
    second();
    await pass(39);
    expect(patience.over).toBe(false);
    await pass(1);
    expect(patience.over).toBe(true);
  });

  test('does not run on after its end', async () => {
    const { patience, pass, ends } = open();
    const release = patience.hold();
    patience.end();
    release();
    await pass(10_000);
    expect(ends()).toBe(0);
  });
});
