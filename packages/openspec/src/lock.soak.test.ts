import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fakeTime } from '../fixtures/fake-time.ts';
import { openLockers, type Lockers } from '../fixtures/lockers.ts';

const SLEEP_MS = 30_000;
const ROUNDS = 3;
const HOUR_S = 3600;

/** Stops a process while it holds the lock. */
const stopHolder = async (lockers: Lockers): Promise<ChildProcess> => {
  for (;;) {
    const pid = await lockers.holder();
    const child = [...lockers.living].find((one) => one.pid === pid);
    child?.kill('SIGSTOP');
    await sleep(100);
    if (child !== undefined && (await lockers.holder()) === pid) return child;
    child?.kill('SIGCONT');
  }
};

/** Nobody gets in for `ms`, and everybody goes on where the holder does. */
const expectNobody = async (lockers: Lockers, ms: number): Promise<void> => {
  const [before, holder] = [await lockers.taken(), await lockers.holder()];
  await sleep(ms);
  expect(await lockers.taken()).toBe(before);
  expect(await lockers.holder()).toBe(holder);
};

const expectNeverTwo = async (lockers: Lockers, atLeast: number): Promise<void> => {
  await lockers.end();
  expect(await lockers.folder.read('violations')).toBe('');
  expect(await lockers.folder.read('errors')).toBe('');
  expect(await lockers.taken()).toBeGreaterThan(atLeast);
};

describe.runIf(process.platform === 'linux')('[F7] [T8.atomic] the lock of the folder', { timeout: 600_000 }, () => {
  it.concurrent(`a holder that is stopped for ${SLEEP_MS / 1000} s keeps it, ${ROUNDS} times`, async () => {
    await using lockers = await openLockers();
    for (let count = 0; count < 6; count += 1) lockers.start({ ms: ROUNDS * (SLEEP_MS + 3000) });
    for (let round = 0; round < ROUNDS; round += 1) {
      await lockers.takenAgain(20);
      const stopped = await stopHolder(lockers);
      await expectNobody(lockers, SLEEP_MS);
      stopped.kill('SIGCONT');
    }
    await lockers.takenAgain(20);
    await expectNeverTwo(lockers, 80);
  });

  it.concurrent(`a holder whose loop stands still for ${SLEEP_MS / 1000} s keeps it`, async () => {
    await using lockers = await openLockers();
    for (let count = 0; count < 6; count += 1) {
      lockers.start({ ms: 2 * SLEEP_MS, ...(count === 0 ? { blockMs: SLEEP_MS } : {}) });
    }
    while ((await lockers.folder.read('blocked')) === '') await sleep(20);
    await expectNobody(lockers, SLEEP_MS - 2000);
    await lockers.takenAgain(20);
    await expectNeverTwo(lockers, 20);
  });

  it.concurrent(`who was stopped for ${SLEEP_MS / 1000} s before it held the lock gets in behind the others, ${ROUNDS} times`, async () => {
    await using lockers = await openLockers();
    for (let count = 0; count < 6; count += 1) lockers.start({ ms: ROUNDS * (SLEEP_MS + 2000) });
    await lockers.takenAgain(20);
    for (let round = 0; round < ROUNDS; round += 1) {
      const stopped: ChildProcess[] = [];
      while (stopped.length < 3) {
        const child = [...lockers.living].filter((one) => !stopped.includes(one))[round % 3];
        child?.kill('SIGSTOP');
        await sleep(50);
        // Whoever holds the lock by now would keep all others out.
        if (child === undefined || child.pid === (await lockers.holder())) child?.kill('SIGCONT');
        else stopped.push(child);
      }
      // More generations go by than are kept.
      await Promise.all([lockers.takenAgain(200), sleep(SLEEP_MS)]);
      for (const child of stopped) child.kill('SIGCONT');
      await lockers.takenAgain(20);
    }
    await expectNeverTwo(lockers, ROUNDS * 200);
  });

  it.concurrent('processes whose clocks are an hour ahead and an hour behind exclude each other, also where some are killed and stopped', async () => {
    await using lockers = await openLockers();
    const { folder, living } = lockers;
    await folder.write({ ahead: `+${HOUR_S}\n`, behind: `-${HOUR_S}\n` });
    const clocks = [{}, fakeTime(`${folder.root}/ahead`), fakeTime(`${folder.root}/behind`)];
    const end = performance.now() + 2 * SLEEP_MS;
    let count = 0;
    const start = (): void => {
      lockers.start({ ms: end - performance.now(), env: clocks[count % clocks.length] ?? {} });
      count += 1;
    };
    const any = (): ChildProcess | undefined => [...living][Math.floor(Math.random() * living.size)];
    for (const _ of Array.from({ length: 6 })) start();
    await lockers.takenAgain(20);
    while (performance.now() < end - 5000) {
      await sleep(1000);
      const stopped = any();
      stopped?.kill('SIGSTOP');
      any()?.kill('SIGKILL');
      while (living.size < 6) start();
      setTimeout(() => stopped?.kill('SIGCONT'), 2500);
    }
    await sleep(3000);
    for (const child of living) child.kill('SIGCONT');
    await expectNeverTwo(lockers, 200);
    // They really had three clocks.
    const offsets = (await folder.read('clocks'))
      .trim()
      .split('\n')
      .map((line) => Math.round((Number(line) - Date.now()) / 1000 / HOUR_S));
    expect(new Set(offsets)).toEqual(new Set([0, 1, -1]));
  });
});
