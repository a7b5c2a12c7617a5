import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isInside } from './inside.ts';
import { outside } from './read-now.ts';
import { realOf } from './read.ts';

/**
 * Folders that are held open while files in them are changed. What was checked stays what is written to: whoever swaps
 * a folder on the way for a link afterwards leads nobody out.
 */
export interface Anchors extends Disposable {
  /** The path to give to the system for `target`. @throws FORBIDDEN where its folder lies outside */
  at(target: string): string;
  /** The descriptor of a folder; undefined where folders cannot be opened. */
  descriptorOf(folder: string): number | undefined;
  /** `target` was moved or taken away: another may come to its place. */
  forget(target: string): void;
}

const IS_LINUX = process.platform === 'linux';
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_DIRECTORY ?? 0);

/** `openspecDir` itself may be made, in the folder of the project; everything else lies inside of it. */
export const openAnchors = (openspecDir: string): Anchors => {
  const open = new Map<string, number>();
  const root = path.dirname(openspecDir);
  /** Where the folder was when it was met first. What it was swapped for since lies outside. */
  let boundary: string | undefined;
  const check = (folder: string, real: string): void => {
    boundary ??= realOf(openspecDir);
    const isOwn = folder === root && real === realpathSync.native(root);
    if (!isOwn && !isInside(boundary ?? openspecDir, real)) throw outside(folder);
  };
  const descriptorOf = (folder: string): number => {
    const known = open.get(folder);
    if (known !== undefined) return known;
    const opened = openSync(folder, FLAGS);
    try {
      // The kernel knows where the open folder really is.
      check(folder, IS_LINUX ? readlinkSync(`/proc/self/fd/${opened}`) : realpathSync.native(folder));
    } catch (error) {
      closeSync(opened);
      throw error;
    }
    open.set(folder, opened);
    return opened;
  };
  return {
    at: (target) => {
      const folder = path.dirname(target);
      if (IS_LINUX) return `/proc/self/fd/${descriptorOf(folder)}/${path.basename(target)}`;
      check(folder, realpathSync.native(folder));
      return target;
    },
    // Windows cannot open a folder.
    descriptorOf: (folder) => (process.platform === 'win32' ? undefined : descriptorOf(folder)),
    forget: (target) => {
      for (const [folder, opened] of open) {
        if (folder !== target && !folder.startsWith(`${target}${path.sep}`)) continue;
        open.delete(folder);
        closeSync(opened);
      }
    },
    [Symbol.dispose]: () => {
      for (const opened of open.values()) closeSync(opened);
      open.clear();
    },
  };
};
