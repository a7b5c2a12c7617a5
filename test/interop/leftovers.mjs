import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every process but zombies: its parent, when it started (a pid may be given again), and what it is. */
const allProcesses = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z' || state === 'X') return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const marked = (marker) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker);
        return [{ pid: Number(pid), parent: Number(parent), started: rest[17], command, marked }];
      } catch {
        // It ended meanwhile.
        return [];
      }
    });

const isMarked = ({ pid, marked }, marker) => {
  if (pid === process.pid) return false;
  try {
    return marked(marker);
  } catch {
    return false;
  }
};

/**
 * Processes in whose environment the marker stands and all below them: servers and whatever they started, also what wrote
 * over its environment, as the helpers of a browser do.
 */
export const processesOf = (marker) => {
  const all = allProcesses();
  const found = new Map(all.filter((one) => isMarked(one, marker)).map((one) => [one.pid, one]));
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const one of all) if (found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()];
};

/** What is left after `ms` of these and of all that bear the marker, looked at again and again. */
export const leftAfter = async (before, marker, ms) => {
  const known = new Set(before.map(({ pid, started }) => `${pid} ${started}`));
  const until = performance.now() + ms;
  for (;;) {
    const left = allProcesses().filter((one) => known.has(`${one.pid} ${one.started}`) || isMarked(one, marker));
    if (left.length === 0 || performance.now() > until)
      return left.map(({ pid, command }) => `${pid} ${command.slice(0, 100)}`);
    await sleep(50);
  }
};
