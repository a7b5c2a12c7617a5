import path from 'node:path';
import { ensureFolder, ensureOwnFolder, isThere } from './disk/durable.ts';
import { acquireLock } from './disk/lock.ts';
import { withStorageErrors } from './disk/storage-error.ts';
import { recover } from './journal.ts';
import { nextTurn } from './listing/slice.ts';
import { workDir, type HeldProject, type Project } from './project.ts';

/**
 * Runs one operation that changes files: alone on this folder, after whatever a crash left behind was finished.
 * @throws STORAGE_FULL, STORAGE_READONLY, STORAGE_NEWER, CHANGE_LOCKED where another process does not finish,
 * FORBIDDEN where a link on the way leads out
 */
export const mutate = async <T>(
  project: Project,
  work: (held: HeldProject) => Promise<T>,
  patience: { readonly timeoutMs?: number } = {},
): Promise<T> =>
  withStorageErrors(async () => {
    const writes = project.disk(project.openspecDir);
    try {
      await ensureFolder(writes, project.openspecDir);
      const lock = await acquireLock(writes, project.clock, workDir(project, 'lock'), patience);
      try {
        const held = { ...project, writes };
        await recover(held);
        await ignoreOurselves(held);
        return await work(held);
      } finally {
        await lock.release();
        // A fast disk is waited for in place: who carries out one operation after another lets others run in between.
        await nextTurn();
      }
    } finally {
      writes[Symbol.dispose]();
    }
  });

/**
 * Our folder ignores itself, so that no lock or staging ever lands in somebody's repository. The file appears whole: one
 * that was cut short would stay so.
 */
const ignoreOurselves = async (project: HeldProject): Promise<void> => {
  const ignored = path.join(path.dirname(workDir(project, 'lock')), '.gitignore');
  if (isThere(ignored)) return;
  const staging = workDir(project, 'staging');
  await ensureOwnFolder(project.writes, staging);
  const staged = path.join(staging, 'gitignore');
  await project.writes.create(staged, '*\n');
  await project.writes.rename(staged, ignored);
};
