import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { allowedEnvironment, createRunCommand } from './run-command.ts';

const run = createRunCommand(allowedEnvironment({ PATH: process.env['PATH'], ANTHROPIC_API_KEY: 'sk-secret' }));
const call = (command: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  run({
    command,
    cwd: tmpdir(),
    timeoutMs: options.timeoutMs ?? 10_000,
    signal: options.signal ?? new AbortController().signal,
  });

/** Runs a command that tells the ids of a shell and its child, and does not end by itself for a while. */
const PARENT = `
  import { createRunCommand } from ${JSON.stringify(new URL('../../dist/wire/run-command.js', import.meta.url).href)};
  const command = 'sleep 60 & echo $$ $! > pids; wait';
  const signal = new AbortController().signal;
  await createRunCommand({ PATH: process.env.PATH })({ command, cwd: '.', timeoutMs: 60_000, signal });
`;

const readPids = (file: string): number[] | undefined => {
  try {
    return /^(\d+) (\d+)\n$/u.exec(readFileSync(file, 'utf8'))?.slice(1).map(Number);
  } catch {
    return undefined;
  }
};

describe('commands of checks', () => {
  it('tell their exit code and what they said', async () => {
    expect(await call('echo out; echo err >&2; exit 3')).toEqual({
      exitCode: 3,
      output: expect.stringMatching(/out|err/u) as string,
    });
    expect((await call('true')).exitCode).toBe(0);
  });

  it('see nothing of our environment but the allow-list', async () => {
    const { output } = await call('env');
    expect(output).not.toContain('sk-secret');
    expect(output).toContain('PATH=');
  });

  it('end with their whole process group at the timeout', async () => {
    const { exitCode, output } = await call('sleep 30 & echo $!; wait', { timeoutMs: 200 });
    expect(exitCode).toBeNull();
    expect(output).toContain('stopped after');
    const pid = Number(output.split('\n')[0]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('end with the run', async () => {
    const controller = new AbortController();
    const running = call('sleep 30', { signal: controller.signal });
    controller.abort();
    expect(await running).toEqual({ exitCode: null, output: 'stopped with the run' });
  });

  it('[X2.child-ends] end with their whole process group when we are killed', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'run-command-'));
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], { cwd: folder, stdio: 'inherit' });
    try {
      const pids = await vi.waitUntil(async () => readPids(path.join(folder, 'pids')), { timeout: 10_000 });
      expect(pids.map(isAlive)).toEqual([true, true]);
      parent.kill('SIGKILL');
      await expect.poll(() => pids.some(isAlive), { timeout: 5_000 }).toBe(false);
    } finally {
      parent.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });

  it('keep only the end of a long output', async () => {
    const { output } = await call('head -c 100000 /dev/zero | tr "\\0" x; echo END');
    expect(output.length).toBeLessThanOrEqual(4_000);
    expect(output.endsWith('END')).toBe(true);
  });
});

/** A zombie has ended; whoever inherited it has not looked yet. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
