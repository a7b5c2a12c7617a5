import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { type Disk } from './disk.ts';
import { ensureOwnFolder, removeQuietly } from './durable.ts';
import { errnoOf } from './errno.ts';
import { CANDIDATE } from './mark.ts';
import { isAlive, thisProcess, type ProcessMark } from './process-mark.ts';

/**
 * Mutual exclusion between processes without a clock and without a native module.
 *
 * A folder holds one name per generation: `held-N` (with the holder's mark) or `free-N` after release. The highest
 * generation decides; whoever finds it free, or its holder dead, makes `held-(N+1)`, which only one can. A process
 * that fell asleep before that may make an old generation again, so each looks once more afterwards and gives way if
 * its generation is not the highest or was already released. Old generations stay for a while, so that no number is
 * used twice within reach of such a sleeper. The mark is whole as soon as its name is there. It needs no sync, for
 * nobody who held the lock survives a power loss.
 *
 * Who waits looks now and then, while who has just released takes the lock again at once: so a process that works on
 * would keep all others out. Whoever waits for long puts a `wait-` mark there, and who comes anew lets it look first.
 */
export interface Lock {
  readonly generation: number;
  release(): Promise<void>;
}

/** Each is a name to look at in every operation; a sleeper who slept through more finds a higher one all the same. */
const KEPT_GENERATIONS = 16;
/** Longest pause between two looks. */
const LONGEST_PAUSE_MS = 20;
/** Longer than that: who waits has looked meanwhile. */
const COURTESY_MS = LONGEST_PAUSE_MS + 5;
/** A wait that asks for courtesy: ten looks. Earlier, many that take turns would leave the lock idle between two looks. */
const LONG_MS = 200;
const WAITING = 'wait-';

export const acquireLock = async (
  disk: Disk,
  clock: Clock,
  folder: string,
  { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
): Promise<Lock> => {
  await ensureOwnFolder(disk, folder);
  const start = clock.monotonic();
  let waiting: string | undefined;
  try {
    for (let pause = 1; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      const names = readdirSync(folder);
      const top = highest(generationsIn(names));
      const holder = holderOf(folder, top);
      if (pause === 1 && (await isAwaited(disk, folder, names))) {
        await clock.sleep(COURTESY_MS);
        continue;
      }
      if (holder === undefined) {
        const generation = (top?.generation ?? 0) + 1;
        if (await take(disk, folder, generation)) return lockOf(disk, folder, generation);
        continue;
      }
      if (clock.monotonic() - start > timeoutMs) throw busy(folder, holder, top);
      if (clock.monotonic() - start > LONG_MS) waiting ??= await putSign(disk, folder);
      await clock.sleep(pause);
    }
  } finally {
    if (waiting !== undefined) await removeQuietly(disk, waiting);
  }
};

/** Undefined where there is no room for it: then it is waited without. */
const putSign = async (disk: Disk, folder: string): Promise<string | undefined> => {
  const sign = path.join(folder, `${WAITING}${randomUUID()}`);
  try {
    await disk.mark(sign, JSON.stringify(thisProcess()));
    return sign;
  } catch {
    return undefined;
  }
};

/** Does a living process wait? Signs of dead ones are taken away. */
const isAwaited = async (disk: Disk, folder: string, names: readonly string[]): Promise<boolean> => {
  for (const name of names) {
    if (!name.startsWith(WAITING)) continue;
    const mark = readMark(path.join(folder, name));
    if (mark !== undefined && isAlive(mark)) return true;
    await removeQuietly(disk, path.join(folder, name));
  }
  return false;
};

interface Generation {
  readonly name: string;
  readonly generation: number;
  readonly isFree: boolean;
}

const generationsIn = (names: readonly string[]): Generation[] => {
  const found: Generation[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (match !== null) found.push({ name, generation: Number(match[2]), isFree: match[1] === 'free' });
  }
  return found;
};

const NAME = /^(held|free)-(\d{1,15})$/u;

/** A generation that is both held and free belongs to a sleeper who is about to give way: it counts as held. */
const highest = (all: readonly Generation[]): Generation | undefined =>
  all.reduce<Generation | undefined>(
    (top, one) =>
      top === undefined ||
      one.generation > top.generation ||
      (one.generation === top.generation && top.isFree && !one.isFree)
        ? one
        : top,
    undefined,
  );

/** The living holder, or undefined where the lock can be taken. @throws STORAGE_NEWER */
const holderOf = (folder: string, top: Generation | undefined): ProcessMark | undefined => {
  if (top === undefined || top.isFree) return undefined;
  const mark = readMark(path.join(folder, `held-${top.generation}`));
  if (mark === undefined || mark.format <= 1) return mark !== undefined && isAlive(mark) ? mark : undefined;
  throw new CloutError('STORAGE_NEWER', 'A newer version of CloutAgent is changing these files', {
    hint: 'Update CloutAgent; if no other one is running here, delete openspec/.task-mcp/lock',
  });
};

const take = async (disk: Disk, folder: string, generation: number): Promise<boolean> => {
  const held = path.join(folder, `held-${generation}`);
  try {
    await disk.mark(held, JSON.stringify(thisProcess()));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  const names = readdirSync(folder);
  const all = generationsIn(names);
  if (isBeaten(all, generation)) {
    await disk.remove(held);
    return false;
  }
  for (const { name } of oldIn(all, generation)) await removeQuietly(disk, path.join(folder, name));
  for (const name of candidatesIn(names)) await sweep(disk, path.join(folder, name));
  return true;
};

const isBeaten = (all: readonly Generation[], generation: number): boolean =>
  all.some((other) => other.generation > generation || (other.generation === generation && other.isFree));

const oldIn = (all: readonly Generation[], generation: number): Generation[] =>
  all.filter((other) => other.generation <= generation - KEPT_GENERATIONS);

const candidatesIn = (names: readonly string[]): string[] => names.filter((name) => name.startsWith(CANDIDATE));

/** Takes the file of a process away that is dead. */
const sweep = async (disk: Disk, file: string): Promise<void> => {
  if (file.includes(`${path.sep}${CANDIDATE}${process.pid}-`)) return;
  const mark = readMark(file);
  if (mark !== undefined && !isAlive(mark)) await removeQuietly(disk, file);
};

/** Undefined where it is gone, or was cut short by a power loss. */
const readMark = (file: string): ProcessMark | undefined => {
  try {
    // Written by this module, in this version or another one; members that are missing match no living process.
    const mark = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessMark>;
    return { ...NOBODY, ...mark };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
};

const NOBODY: ProcessMark = { format: 1, pid: 0, start: '', boot: '', namespace: '', host: '' };

const lockOf = (disk: Disk, folder: string, generation: number): Lock => ({
  generation,
  // A rename needs no space on a full disk. If even that fails, the number may be used again: sleepers look twice.
  release: async () => {
    const held = path.join(folder, `held-${generation}`);
    try {
      await disk.rename(held, path.join(folder, `free-${generation}`));
    } catch {
      await removeQuietly(disk, held);
    }
  },
});

const busy = (folder: string, holder: ProcessMark, top: Generation | undefined): CloutError =>
  new CloutError('CHANGE_LOCKED', `Process ${holder.pid} on ${holder.host} is changing these files`, {
    hint: `Try again; if that process is gone, delete ${path.join(folder, `held-${top?.generation ?? 0}`)}`,
    details: { pid: holder.pid, host: holder.host },
    retryAfter: 1,
  });
