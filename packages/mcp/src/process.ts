import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@cloutagent/kit';
import { drain } from './drain.ts';
import { startWatchdog } from './watchdog.ts';

/** A server that obeys the specification ends within this after its stdin is closed (measured: 20 to 370 ms). */
const EOF_GRACE_MS = 1_000;
const TERM_GRACE_MS = 1_000;
/** After SIGKILL only the kernel is waited for; zombies that nobody reaps must not hold us. */
const KILL_GRACE_MS = 1_000;
/** Output that is still in the pipe after the process ended is read within this. */
const DRAIN_MS = 200;

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** A child with its own process group, which ends whole: on `stop`, when its leader ends, and when we are killed. */
export interface OwnedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The last 64 KiB of stderr. */
  stderr(): string;
  /** Resolves once, with a sentence, after the whole group is gone. */
  readonly ended: Promise<string>;
  /** Closes stdin, then SIGTERM, then SIGKILL to the group; resolves when it is gone. Safe to call again. */
  stop(): Promise<void>;
}

/** Starts a process without a shell. Rejects with the operating system's error (`ENOENT`, `EACCES`, `EMFILE`). */
export const startProcess = async (spec: ProcessSpec, clock: Clock): Promise<OwnedProcess> => {
  const watchdog = startWatchdog();
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(spec.command, [...spec.args], {
      cwd: spec.cwd,
      env: spec.env,
      stdio: 'pipe',
      detached: true,
      shell: false,
    });
    if (child.pid !== undefined) watchdog.guard(child.pid);
    await started(child);
  } catch (error) {
    watchdog.release();
    throw error;
  }
  const { pid } = child;
  if (pid === undefined) throw new Error('The process has no id');

  const stderr = drain(child.stderr, clock);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
  child.on('error', () => {});

  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `it ended with exit code ${code ?? 'unknown'}` : `it was ended by ${signal}`),
    );
  });
  const drained = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const ended = exited.then(async (reason) => {
    signalGroup(pid, 'SIGKILL');
    await Promise.race([drained, clock.sleep(DRAIN_MS)]);
    await groupGone(pid, clock);
    watchdog.release();
    return reason;
  });

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    child.stdin.end();
    if (!(await within(exited, EOF_GRACE_MS, clock))) {
      signalGroup(pid, 'SIGTERM');
      if (!(await within(exited, TERM_GRACE_MS, clock))) signalGroup(pid, 'SIGKILL');
    }
    await ended;
  };
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: () => stderr.text(),
    ended,
    stop: () => (stopping ??= stop()),
  };
};

const started = (child: ChildProcessWithoutNullStreams): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });

/** Signals every process of a group; false where there is none left. */
const signalGroup = (group: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
};

const groupGone = async (group: number, clock: Clock): Promise<void> => {
  const until = clock.monotonic() + KILL_GRACE_MS;
  while (signalGroup(group, 0) && clock.monotonic() < until) await clock.sleep(10);
};

const within = async (promise: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> => {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(
    () => false,
    () => false,
  );
  const done = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return done;
};
