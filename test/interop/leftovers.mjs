import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processes, zombies left out, in whose environment the marker stands: servers and whatever they started. */
export const processesOf = (marker) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker)) return [];
        if (/^State:\tZ/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 100)}`];
      } catch {
        // It ended meanwhile.
        return [];
      }
    });

/** What is left of them after `ms`, looked at again and again. */
export const leftAfter = async (marker, ms) => {
  const until = performance.now() + ms;
  for (;;) {
    const left = processesOf(marker);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(50);
  }
};
