import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Waits for a condition; the test's own timeout ends it. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(10);
};

export const serves = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
};

/** Returns the function that tells what the child has printed so far, on both streams. */
export const collectOutput = (child: ChildProcess): (() => string) => {
  let text = '';
  const keep = (chunk: string): void => {
    text += chunk;
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  return () => text;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Parent of every process; empty where the system has no /proc. */
const parents = (): ReadonlyMap<number, number> => {
  const found = new Map<number, number>();
  try {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/u.test(entry))) {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /su, '')
          .split(' ');
        found.set(Number(name), Number(fields[1]));
      } catch {
        // It ended meanwhile.
      }
    }
  } catch {
    // No /proc: the process itself is all that is known.
  }
  return found;
};

/** A process and all below it. */
export const processTree = (root: number): readonly number[] => {
  const below = (pid: number, all: ReadonlyMap<number, number>): readonly number[] => [
    pid,
    ...[...all].filter(([, parent]) => parent === pid).flatMap(([child]) => below(child, all)),
  ];
  return below(root, parents());
};

/** Kills a process; all that it started is gone soon: nothing of ours outlives it. */
export const killTree = async (running: {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
}): Promise<void> => {
  const tree = processTree(running.pid);
  running.kill('SIGKILL');
  await running.ended;
  await until(() => tree.every((pid) => !isAlive(pid)));
};
