import { statSync } from 'node:fs';

/** What the system says of files and folders, links followed: as long as it is equal, so are they. */
export const stampOf = (paths: readonly string[]): { stamp: string; changedAt: number } => {
  let stamp = '';
  let changedAt = 0;
  for (const at of paths) {
    const found = tryStat(at);
    stamp += found === undefined ? '-' : `${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs};`;
    changedAt = Math.max(changedAt, found?.ctimeMs ?? 0);
  }
  return { stamp, changedAt };
};

/**
 * Coarsest time stamp of a file system (FAT: two seconds), and some difference between its clock and ours: an edit so
 * soon after a look may bear the same time as the one before it.
 */
const GRAIN_MS = 2500;

/** Could an edit have left this stamp as it is? */
export const isRacy = (changedAt: number, lookedAt: number): boolean => changedAt > lookedAt - GRAIN_MS;

const tryStat = (at: string) => {
  try {
    return statSync(at, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};
