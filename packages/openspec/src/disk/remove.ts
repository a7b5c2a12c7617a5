import { closeSync, constants, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errno.ts';

const IS_LINUX = process.platform === 'linux';
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
/** Deeper trees were not made by us; each level holds a descriptor. */
const MAX_DEPTH = 64;

/**
 * Takes a file or a whole folder away; nothing happens where nothing is there. Each folder is held open and never
 * followed where it is a link, so that nobody leads this out by swapping one.
 */
export const removeTree = async (target: string, depth = 0): Promise<void> => {
  try {
    unlinkSync(target);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    // Systems name a folder in different ways.
    if (!['EISDIR', 'EPERM', 'EACCES'].includes(errnoOf(error) ?? '') || depth > MAX_DEPTH) throw error;
    await removeFolder(target, depth, error);
  }
};

const removeFolder = async (target: string, depth: number, first: unknown): Promise<void> => {
  let opened: number;
  try {
    opened = openSync(target, FLAGS);
  } catch (error) {
    // No folder after all: what the system said first is the reason.
    throw errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP' ? first : error;
  }
  try {
    const held = IS_LINUX ? `/proc/self/fd/${opened}` : target;
    for (const name of readdirSync(held)) await removeTree(path.join(held, name), depth + 1);
  } finally {
    closeSync(opened);
  }
  // A folder may be large, so it goes bit by bit.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  rmdirSync(target);
};
