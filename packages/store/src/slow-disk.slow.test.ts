import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempFolder } from './testing/support.ts';

const PROGRAM = fileURLToPath(new URL('./fixtures/slow-disk.mjs', import.meta.url));

it.skipIf(spawnSync('strace', ['-V']).error !== undefined)(
  '[X2.loop-lag] a disk that takes 300 ms for each sync does not stop the event loop: it turns all the while',
  async () => {
    await using folder = await tempFolder();
    const calls = 'fsync,fdatasync';
    const strace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:delay_exit=300000`];
    const { stdout } = await promisify(execFile)('strace', [...strace, process.execPath, PROGRAM, folder.dir, '5']);
    // A thread that waits for the disk itself turns once or twice for each unit; this one could thirty times.
    expect(Number(stdout)).toBeGreaterThan(8);
  },
  120_000,
);
