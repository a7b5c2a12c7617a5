import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Waits for our end of the pipe: a line means that the group is gone already, end of file that we died without
 * saying so. `kill` is the shell's own; the second form is for shells whose built-in knows no negative ids.
 */
const SCRIPT =
  'read -r group || exit 0; read -r over && exit 0; kill -s KILL -- "-$group" 2>/dev/null || exec /bin/kill -9 -- "-$group"';

export interface Watchdog {
  /** Names the process group that must not outlive us. */
  guard(group: number): void;
  /** The group is gone; the watchdog ends. */
  release(): void;
}

/**
 * Starts a shell in a session of its own that kills a process group when this process ends, be it by `kill -9`.
 * It is started before the group, so that the time in which nobody watches is one write to a pipe. Throws where the system
 * starts no process: then none is to be watched.
 */
export const startWatchdog = (): Watchdog => {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  // Why it could not be started comes later, and then nobody is there to hear it.
  child.on('error', () => undefined);
  if (child.pid === undefined)
    throw new Error('the system starts no more processes: too many files are open, or too many processes run');
  // It may end before us, by the hand of a person.
  child.stdin.on('error', () => undefined);
  // It must not keep our event loop alive: it is there for the time after us.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return {
    guard: (group) => void child.stdin.write(`${group}\n`),
    release: () => void child.stdin.end('over\n'),
  };
};
