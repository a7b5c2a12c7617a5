import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@cloutagent/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchTree, type TreeWatch } from './watch-tree.ts';

let root = '';
let watched: TreeWatch | undefined;
let told: string[] = [];
let lost = 0;

const put = async (file: string): Promise<void> => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), 'text');
};

/** Of this process. */
const inotifyWatches = async (): Promise<number> => {
  const infos = await Promise.all(
    (await readdir('/proc/self/fdinfo')).map((fd) => readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '')),
  );
  return infos.join('').split('inotify wd:').length - 1;
};

/** Watches; on a busy machine so small a tree may take a second look too. */
const start = async (folders: number): Promise<void> => {
  const before = await inotifyWatches();
  watched = watchTree(root, {
    clock: systemClock,
    enters: (folder) => !folder.split(path.sep).includes('closed'),
    onEvent: (file) => told.push(file ?? '?'),
    onLost: () => {
      lost += 1;
    },
  });
  await expect.poll(inotifyWatches).toBe(before + folders);
};

/** Until this file was told; the events of one edit come in a turn or two. */
const hear = async (file: string): Promise<void> => {
  for (let turn = 0; turn < 500 && !told.includes(file); turn += 1) await sleep(10);
  expect(told).toContain(file);
  told = [];
};

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'watch-tree-'));
  told = [];
  lost = 0;
});

afterEach(async () => {
  watched?.close();
  await rm(root, { recursive: true, force: true });
});

describe('a watched tree', () => {
  it('tells of edits in folders that were there, at once', async () => {
    await put('one/specs/cap/spec.md');
    await start(4);
    await put('one/specs/cap/spec.md');
    await hear('one/specs/cap/spec.md');
  });

  it('tells of all that is in a folder which comes later, and of edits in it', async () => {
    await put('closed/draft/specs/cap/spec.md');
    await start(1);
    await rename(path.join(root, 'closed/draft'), path.join(root, 'one'));
    await hear('one/specs/cap/spec.md');
    await put('one/specs/cap/spec.md');
    await hear('one/specs/cap/spec.md');
  });

  it('follows a name to another folder, and not a folder to another name', async () => {
    await put('one/tasks.md');
    await put('closed/other/tasks.md');
    await start(2);
    await rename(path.join(root, 'one'), path.join(root, 'closed/gone'));
    await rename(path.join(root, 'closed/other'), path.join(root, 'one'));
    await hear('one/tasks.md');
    await put('closed/gone/tasks.md');
    await put('one/tasks.md');
    await hear('one/tasks.md');
    expect(told.filter((file) => file.includes('gone'))).toEqual([]);
  });

  it('takes a watch for each folder and none for a file, and gives all back', async () => {
    for (let change = 0; change < 20; change += 1) {
      for (const file of ['proposal.md', 'tasks.md', 'specs/cap/spec.md']) await put(`c${change}/${file}`);
    }
    const before = await inotifyWatches();
    await start(1 + 20 * 3);
    watched?.close();
    expect(await inotifyWatches()).toBe(before);
  });

  it('says once that its root is gone, also where there is a new one', async () => {
    await put('one/tasks.md');
    await start(2);
    await rm(root, { recursive: true });
    await expect.poll(() => lost).toBe(1);
    await mkdir(root);
    await put('one/tasks.md');
    await sleep(50);
    expect(lost).toBe(1);
  });
});
