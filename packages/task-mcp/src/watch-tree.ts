import { lstatSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { join, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@cloutagent/kit';

/** A folder costs about 2 KB here and in the kernel; a change has three. */
const MAX_FOLDERS = 40_000;
/** A walk through a thousand changes takes no more than every other so many milliseconds; the rest is for requests. */
const SLICE_MS = 5;

export interface TreeWatch {
  close(): void;
}

export interface TreeOptions {
  readonly clock: Clock;
  /** Is this folder, relative to the root, of interest? */
  readonly enters: (folder: string) => boolean;
  /** @param file relative to the root; null where the system does not say */
  readonly onEvent: (file: string | null, renamed: boolean) => void;
  /** The root can be watched no more; all watches are closed. */
  readonly onLost: () => void;
}

/**
 * Watches a folder and the folders in it. Node's own recursive watch takes a watch for every file, thousands of them
 * before it returns; on Linux a folder's watch tells of the files in it. A small tree is watched when this returns, a
 * large one bit by bit, and `onEvent` says at its end that something may have happened meanwhile.
 * @throws where the root cannot be watched
 */
export const watchTree = (root: string, { clock, enters, onEvent, onLost }: TreeOptions): TreeWatch => {
  const open = new Map<string, FSWatcher>();
  const waiting: { readonly folder: string; readonly isNew: boolean }[] = [];
  const { ino } = lstatSync(root);
  let isClosed = false;
  let isWalking = false;

  const drop = (folder: string): void => {
    if (!open.has(folder)) return;
    for (const [known, watcher] of open) {
      if (known !== folder && !known.startsWith(folder + sep)) continue;
      watcher.close();
      open.delete(known);
    }
  };
  const close = (): void => {
    isClosed = true;
    for (const watcher of open.values()) watcher.close();
    open.clear();
    waiting.length = 0;
  };

  const giveUp = (): void => {
    if (isClosed) return;
    close();
    onLost();
  };

  const listen = (folder: string): void => {
    const watcher = watch(join(root, folder), { persistent: false }, (event, entry) => {
      const file = entry === null ? null : join(folder, entry);
      onEvent(file, event === 'rename');
      // The system tells the end of a folder as an event in it.
      if (folder === '' && event === 'rename' && lstatSync(root, { throwIfNoEntry: false })?.ino !== ino) giveUp();
      if (isClosed || file === null || event !== 'rename' || !enters(file)) return;
      // What has this name now may be another folder than before.
      drop(file);
      waiting.push({ folder: file, isNew: true });
      void walk();
    });
    watcher.on('error', () => {
      if (folder === '') giveUp();
      else drop(folder);
    });
    open.set(folder, watcher);
  };

  /** @param isNew its files may have come before its watch */
  const enter = (folder: string, isNew: boolean): void => {
    if (open.size >= MAX_FOLDERS || (folder !== '' && open.has(folder))) return;
    const place = join(root, folder);
    try {
      if (!lstatSync(place).isDirectory()) return;
      // The watch first: what comes while the folder is read is told.
      if (folder !== '') listen(folder);
      for (const entry of readdirSync(place, { withFileTypes: true })) {
        const name = join(folder, entry.name);
        if (isNew) onEvent(name, true);
        if (entry.isDirectory() && enters(name)) waiting.push({ folder: name, isNew });
      }
    } catch {
      // Gone again, or the system has no watch left.
    }
  };

  const walk = async (): Promise<void> => {
    if (isWalking) return;
    isWalking = true;
    let isLong = false;
    let until = clock.monotonic() + SLICE_MS;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      enter(next.folder, next.isNew);
      if (clock.monotonic() < until) continue;
      isLong = true;
      await pause(SLICE_MS, undefined, { ref: false });
      until = clock.monotonic() + SLICE_MS;
    }
    isWalking = false;
    if (isLong && !isClosed) onEvent(null, true);
  };

  listen('');
  waiting.push({ folder: '', isNew: false });
  void walk();
  return { close };
};
