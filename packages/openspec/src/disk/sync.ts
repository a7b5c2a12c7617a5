import { fsync, fsyncSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '@cloutagent/kit';

/** Waits until the disk has what was written to an open file, or the entries of an open folder. */
export type Sync = (opened: number) => Promise<void>;

/** A thread of the pool costs the tenth of a millisecond that a fast disk takes; nobody notices five of them. */
const SWIFT_MS = 0.5;

const inPool = promisify(fsync);

/**
 * For one disk. While it is fast it is waited for in place; as soon as it once takes longer, a thread of the pool waits for
 * it, until it is fast again.
 */
export const syncOf = (clock: Clock): Sync => {
  let isSwift = false;
  return async (opened) => {
    const began = clock.monotonic();
    if (isSwift) fsyncSync(opened);
    else await inPool(opened);
    isSwift = clock.monotonic() - began <= SWIFT_MS;
  };
};
