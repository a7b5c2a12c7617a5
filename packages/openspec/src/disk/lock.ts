import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { errnoOf, type Disk } from './disk.ts';
import { ensureFolder, removeQuietly } from './durable.ts';
import { isAlive, thisProcess, type ProcessMark } from './process-mark.ts';

/**
 * Mutual exclusion between processes without a clock and without a native module.
 *
 * A folder holds one file per generation: `held-N` (with the holder's mark) or `free-N` after release. The highest
 * generation decides; whoever finds it free, or its holder dead, links `held-(N+1)`, which only one can. A process
 * that fell asleep before its link may create an old generation again, so each looks once more after the link and
 * gives way if its generation is not the highest or was already released. Old generations stay for a while, so that
 * no number is used twice within reach of such a sleeper.
 */
export interface Lock {
  readonly generation: number;
  release(): Promise<void>;
}

const KEPT_GENERATIONS = 64;
/** Longest pause between two looks. */
const LONGEST_PAUSE_MS = 20;

export const acquireLock = async (
  disk: Disk,
  clock: Clock,
  folder: string,
  { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
): Promise<Lock> => {
  await ensureFolder(disk, folder);
  const mine = path.join(folder, `new-${process.pid}-${randomUUID()}`);
  await disk.create(mine, JSON.stringify(thisProcess()));
  const start = clock.monotonic();
  try {
    for (let pause = 1; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      const top = highest(folder);
      const holder = holderOf(folder, top);
      if (holder === undefined) {
        const generation = (top?.generation ?? 0) + 1;
        if (await take(disk, folder, mine, generation)) return lockOf(disk, folder, generation);
        continue;
      }
      if (clock.monotonic() - start > timeoutMs) throw busy(folder, holder, top);
      await clock.sleep(pause);
    }
  } finally {
    await removeQuietly(disk, mine);
  }
};

interface Generation {
  readonly generation: number;
  readonly isFree: boolean;
}

const generations = (folder: string): Generation[] =>
  readdirSync(folder).flatMap((name) => {
    const match = /^(held|free)-(\d{1,15})$/u.exec(name);
    return match === null ? [] : [{ generation: Number(match[2]), isFree: match[1] === 'free' }];
  });

/** A generation that is both held and free belongs to a sleeper who is about to give way: it counts as held. */
const highest = (folder: string): Generation | undefined =>
  generations(folder).sort((a, b) => b.generation - a.generation || Number(a.isFree) - Number(b.isFree))[0];

/** The living holder, or undefined where the lock can be taken. */
const holderOf = (folder: string, top: Generation | undefined): ProcessMark | undefined => {
  if (top === undefined || top.isFree) return undefined;
  const mark = readMark(path.join(folder, `held-${top.generation}`));
  return mark !== undefined && isAlive(mark) ? mark : undefined;
};

const take = async (disk: Disk, folder: string, mine: string, generation: number): Promise<boolean> => {
  const held = path.join(folder, `held-${generation}`);
  try {
    await disk.link(mine, held);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  const all = generations(folder);
  if (all.some((other) => other.generation > generation || (other.generation === generation && other.isFree))) {
    await disk.remove(held);
    return false;
  }
  for (const { generation: old, isFree } of all) {
    if (old <= generation - KEPT_GENERATIONS) {
      await removeQuietly(disk, path.join(folder, `${isFree ? 'free' : 'held'}-${old}`));
    }
  }
  await sweepCandidates(disk, folder);
  return true;
};

/** Candidates of processes that died before they could take theirs away. */
const sweepCandidates = async (disk: Disk, folder: string): Promise<void> => {
  for (const name of readdirSync(folder)) {
    const mark = name.startsWith('new-') ? readMark(path.join(folder, name)) : undefined;
    if (mark !== undefined && !isAlive(mark)) await removeQuietly(disk, path.join(folder, name));
  }
};

/** Undefined where the file is gone or was cut short by a power loss. */
const readMark = (file: string): ProcessMark | undefined => {
  try {
    // Written by this module only, whole before it is linked.
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessMark;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
};

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
