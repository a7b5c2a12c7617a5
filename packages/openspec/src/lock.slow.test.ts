import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openLockers } from '../fixtures/lockers.ts';

const SECONDS = 60;

describe('the lock of the folder', { timeout: 120_000 }, () => {
  it(`[F6] [F7] [T8.atomic] ${SECONDS} s, 6 processes, one killed every 300 ms, others stopped for a while: never two holders`, async () => {
    await using lockers = await openLockers();
    const { folder, living } = lockers;
    const end = performance.now() + SECONDS * 1000;
    const start = (): ChildProcess => lockers.start({ ms: end - performance.now() });
    const any = (): ChildProcess | undefined => [...living][Math.floor(Math.random() * living.size)];
    for (let count = 0; count < 6; count += 1) start();
    await sleep(1000);
    let kills = 0;
    while (performance.now() < end - 2000) {
      await sleep(300);
      const stopped = any();
      stopped?.kill('SIGSTOP');
      any()?.kill('SIGKILL');
      kills += 1;
      if (living.size < 7) start();
      setTimeout(() => stopped?.kill('SIGCONT'), 700);
    }
    await sleep(1000);
    for (const child of living) child.kill('SIGCONT');
    await lockers.end();
    expect(await folder.read('violations')).toBe('');
    expect(await folder.read('errors')).toBe('');
    expect(await lockers.taken()).toBeGreaterThan(200);
    expect(kills).toBeGreaterThan(100);
  });
});
