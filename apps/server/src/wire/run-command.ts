import { spawn } from 'node:child_process';
import type { CommandResult, RunCommand } from '@cloutagent/lane';
import { startWatchdog, type Watchdog } from '@cloutagent/mcp';

/** Output that is kept of a command: evidence for a person, not a log. */
const MAX_OUTPUT = 4_000;

/** Variables that a check's command sees; nothing secret of ours is among them. */
const ALLOWED = ['HOME', 'PATH', 'SHELL', 'TERM', 'USER', 'LOGNAME', 'LANG'] as const;

export const allowedEnvironment = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    ALLOWED.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Runs `check: run COMMAND` with the shell in its own process group, which ends with the timeout, the signal, or this
 * process: a resume after `kill -9` must not start it a second time beside the first.
 */
export const createRunCommand =
  (environment: Readonly<Record<string, string>>): RunCommand =>
  ({ command, cwd, signal, timeoutMs }) =>
    new Promise<CommandResult>((resolve) => {
      let watchdog: Watchdog;
      try {
        watchdog = startWatchdog();
      } catch (error) {
        resolve({ exitCode: null, output: error instanceof Error ? error.message : String(error) });
        return;
      }
      const child = spawn('/bin/sh', ['-c', command], {
        cwd,
        env: environment,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      if (child.pid !== undefined) watchdog.guard(child.pid);
      let output = '';
      let stopped: string | undefined;
      const collect = (chunk: Buffer): void => {
        // The end of the output says most about a failure.
        output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT);
      };
      const stop = (reason: string): void => {
        stopped ??= reason;
        if (child.pid !== undefined) {
          try {
            process.kill(-child.pid, 'SIGKILL');
          } catch {
            // The group has ended by itself.
          }
        }
      };
      const timer = setTimeout(() => stop(`stopped after ${timeoutMs / 1000} s`), timeoutMs);
      const onAbort = (): void => stop('stopped with the run');
      signal.addEventListener('abort', onAbort, { once: true });
      const finish = (exitCode: number | null, problem?: string): void => {
        clearTimeout(timer);
        watchdog.release();
        signal.removeEventListener('abort', onAbort);
        resolve({ exitCode, output: [output.trim(), problem ?? stopped].filter(Boolean).join('\n') });
      };
      child.stdout.on('data', collect).on('error', () => undefined);
      child.stderr.on('data', collect).on('error', () => undefined);
      child.on('error', (error) => finish(null, error.message));
      child.on('close', (code) => finish(stopped === undefined ? code : null));
      if (signal.aborted) onAbort();
    });
