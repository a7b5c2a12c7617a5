import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/** Names one process for good: its number alone is given to others after its death. */
export interface ProcessMark {
  /** Of the mark and of the lock that it stands in; an older program keeps away from a newer one. */
  readonly format: number;
  readonly pid: number;
  /** Start in clock ticks since boot; empty where the system does not tell. */
  readonly start: string;
  readonly boot: string;
  /** Process namespace: numbers of other containers mean nothing here. */
  readonly namespace: string;
  readonly host: string;
}

export const thisProcess = (): ProcessMark => {
  own ??= lookAtOwn();
  return own;
};

/** Nothing of it changes while the process lives. */
let own: ProcessMark | undefined;

const lookAtOwn = (): ProcessMark => ({
  format: 1,
  pid: process.pid,
  start: startOf(process.pid) ?? '',
  boot: tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  namespace: tryRead(() => readlinkSync('/proc/self/ns/pid')),
  host: os.hostname(),
});

/** A process that cannot be judged from here (another host, another container) counts as alive. */
export const isAlive = (mark: ProcessMark): boolean => {
  const here = thisProcess();
  if (mark.host !== here.host) return true;
  if (mark.boot !== here.boot) return false;
  if (mark.namespace !== here.namespace) return true;
  const start = startOf(mark.pid);
  return start !== undefined && (start === '' || mark.start === '' || start === mark.start);
};

/** Field 22 of `/proc/PID/stat`; undefined for a process that is gone or only waits to be reaped. */
const startOf = (pid: number): string | undefined => {
  if (process.platform !== 'linux') return exists(pid) ? '' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? '');
  } catch {
    return exists(pid) ? '' : undefined;
  }
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's process, but alive.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const tryRead = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};
