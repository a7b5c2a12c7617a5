import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tempFolder } from './testing/support.ts';
import { lockDataFolder } from './lock.ts';

const HOLD = fileURLToPath(new URL('./fixtures/hold-lock.mjs', import.meta.url));

/** A process that has tried to take the lock; `said` is `held` or the code of its error. */
const holder = async (
  dir: string,
): Promise<AsyncDisposable & { readonly child: ChildProcess; readonly said: string }> => {
  const child = spawn(process.execPath, ['--expose-gc', HOLD, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [said] = (await once(lines, 'line')) as [string];
  return {
    child,
    said,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const inUse = { code: 'DATA_FOLDER_IN_USE' };

describe('[X2.one-owner] the lock of a data folder', () => {
  it('is held by one process, which the second one is told of', async () => {
    await using folder = await tempFolder();
    const dir = path.join(folder.dir, 'new');
    await using first = await holder(dir);
    expect(first.said).toBe('held');
    await expect(lockDataFolder(dir)).rejects.toMatchObject({ ...inUse, details: {} });
    const owner = { pid: first.child.pid, url: 'http://127.0.0.1:1' };
    await writeFile(path.join(dir, 'server.json'), JSON.stringify(owner));
    await expect(lockDataFolder(dir)).rejects.toMatchObject({ ...inUse, details: owner });
    await writeFile(path.join(dir, 'server.json'), '{"half');
    await expect(lockDataFolder(dir)).rejects.toMatchObject({ ...inUse, details: {} });
  });

  it('is let go of by the kernel when its holder is killed', async () => {
    await using folder = await tempFolder();
    for (let turn = 0; turn < 3; turn += 1) {
      await using first = await holder(folder.dir);
      expect(first.said).toBe('held');
    }
    const lock = await lockDataFolder(folder.dir);
    await lock.release();
  });

  it('is not lost while its holder is stopped', async () => {
    await using folder = await tempFolder();
    await using first = await holder(folder.dir);
    first.child.kill('SIGSTOP');
    await expect(lockDataFolder(folder.dir)).rejects.toMatchObject(inUse);
    await using second = await holder(folder.dir);
    expect(second.said).toBe('DATA_FOLDER_IN_USE');
    first.child.kill('SIGCONT');
    await expect(lockDataFolder(folder.dir)).rejects.toMatchObject(inUse);
  });

  it('is one per folder within a process too, and can be taken again after its release', async () => {
    await using folder = await tempFolder();
    const lock = await lockDataFolder(folder.dir);
    await expect(lockDataFolder(folder.dir)).rejects.toMatchObject(inUse);
    await using second = await holder(folder.dir);
    expect(second.said).toBe('DATA_FOLDER_IN_USE');
    await using elsewhere = await tempFolder();
    await (await lockDataFolder(elsewhere.dir)).release();
    await lock.release();
    await lock.release();
    await using third = await holder(folder.dir);
    expect(third.said).toBe('held');
  });

  it('says what is wrong with the folder otherwise', async () => {
    await using folder = await tempFolder();
    await writeFile(path.join(folder.dir, 'file'), '');
    await expect(lockDataFolder(path.join(folder.dir, 'file'))).rejects.toMatchObject({ code: 'STORAGE_READONLY' });
    await writeFile(path.join(folder.dir, 'lock.db'), 'no database '.repeat(1000));
    await expect(lockDataFolder(folder.dir)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  });
});
