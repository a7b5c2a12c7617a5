import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scratch } from '../fixtures/scratch.ts';

const LOCKER = fileURLToPath(new URL('../fixtures/locker.mjs', import.meta.url));
const SECONDS = 60;

describe('the lock of the folder', { timeout: 120_000 }, () => {
  it(`[F6] [F7] [T8.atomic] ${SECONDS} s, 6 processes, one killed every 300 ms, others stopped for a while: never two holders`, async () => {
    await using folder = await scratch({ taken: '', violations: '', errors: '' });
    const living = new Set<ChildProcess>();
    const end = performance.now() + SECONDS * 1000;
    const start = (): void => {
      const child = spawn(process.execPath, [LOCKER, folder.root, String(end - performance.now())], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      living.add(child);
      child.on('exit', () => living.delete(child));
    };
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
    await Promise.all([...living].map((child) => once(child, 'exit')));
    expect(await folder.read('violations')).toBe('');
    expect(await folder.read('errors')).toBe('');
    expect((await readFile(`${folder.root}/taken`, 'utf8')).length).toBeGreaterThan(200);
    expect(kills).toBeGreaterThan(100);
  });
});
