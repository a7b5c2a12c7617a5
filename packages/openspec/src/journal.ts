import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { RECEIPT_FILE } from './archived.ts';
import { errnoOf, withStorageErrors } from './disk/disk.ts';
import { ensureFolder, isThere, removeQuietly, replaceFile } from './disk/durable.ts';
import { acquireLock } from './disk/lock.ts';
import { assertWritesInside, readInside } from './disk/read.ts';
import { openPath, parseIntent, type Intent, type IntendedWrite } from './intent.ts';
import { archiveDir, changesDir, isInside, specsDir, workDir, type Project } from './project.ts';

/**
 * Runs one operation that changes files: alone on this folder, after whatever a crash left behind was finished.
 * @throws STORAGE_FULL, STORAGE_READONLY, STORAGE_NEWER, CHANGE_LOCKED where another process does not finish
 */
export const mutate = async <T>(
  project: Project,
  work: () => Promise<T>,
  patience: { readonly timeoutMs?: number } = {},
): Promise<T> =>
  withStorageErrors(async () => {
    for (const folder of [workDir(project, 'lock'), archiveDir(project), specsDir(project)]) {
      await assertWritesInside(project.openspecDir, folder);
    }
    await ensureWorkFolder(project);
    const lock = await acquireLock(project.disk, project.clock, workDir(project, 'lock'), patience);
    try {
      await recover(project);
      return await work();
    } finally {
      await lock.release();
    }
  });

/** Our folder ignores itself, so that no lock or staging ever lands in somebody's repository. */
const ensureWorkFolder = async (project: Project): Promise<void> => {
  const folder = path.dirname(workDir(project, 'lock'));
  await ensureFolder(project.disk, folder);
  try {
    await project.disk.create(path.join(folder, '.gitignore'), '*\n');
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
};

/** Writes the intent durably, carries it out and forgets it. A crash in between is made good by `recover`. */
export const commit = async (project: Project, intent: Intent): Promise<void> => {
  const file = path.join(workDir(project, 'journal'), `${randomUUID()}.json`);
  const text = JSON.stringify(intent);
  // What recovery would not read again must not be begun.
  if (parseIntent(text) === undefined)
    throw new CloutError('CHANGE_INVALID', 'A capability has a name that cannot be archived');
  for (const write of intent.writes)
    await assertWritesInside(project.openspecDir, path.join(project.openspecDir, write.path));
  await replaceFile(project.disk, workDir(project, 'staging'), file, text);
  const isDone = await carryOut(project, intent);
  await forget(project, file);
  if (!isDone) {
    throw new CloutError(
      'CHANGE_CONFLICT',
      `A file was edited while '${intent.slug}' was being ${intent.op}d; nothing was changed`,
      {
        details: { slug: intent.slug, files: intent.writes.map((write) => write.path) },
      },
    );
  }
};

/** Finishes what was begun, takes staging away. The caller holds the lock. */
const recover = async (project: Project): Promise<void> => {
  const journal = workDir(project, 'journal');
  for (const name of (await namesIn(journal)).sort()) {
    const file = path.join(journal, name);
    const intent = parseIntent(await readOrEmpty(file));
    if (intent === undefined) await quarantine(project, file);
    else {
      await carryOut(project, intent);
      await forget(project, file);
    }
  }
  const staging = workDir(project, 'staging');
  for (const name of await namesIn(staging)) await removeQuietly(project.disk, path.join(staging, name));
};

/**
 * Idempotent; false where it was withdrawn. Somebody who edited a file between a crash and now keeps the text: then what
 * was written is taken back and the change stays where it was. So it does where its slug was taken meanwhile.
 */
const carryOut = async (project: Project, intent: Intent): Promise<boolean> => {
  const isArchive = intent.op === 'archive';
  const places = [path.join(changesDir(project), intent.slug), path.join(archiveDir(project), intent.archivedAs)];
  const [from = '', to = ''] = isArchive ? places : places.reverse();
  if (!(await hasFolder(from)) || (isArchive && (await isArchivedAlready(project, intent)))) return true;
  const states = await Promise.all(intent.writes.map(async (write) => ({ write, now: await current(project, write) })));
  const isForeign =
    states.some(({ write, now }) => now !== write.before && now !== write.after) || (!isArchive && (await isThere(to)));
  for (const { write, now } of states) {
    const wanted = isForeign ? write.before : write.after;
    if (now === wanted || (isForeign && now !== write.after)) continue;
    await put(project, write.path, wanted);
  }
  if (isForeign) return false;
  await ensureFolder(project.disk, archiveDir(project));
  await project.disk.rename(from, isArchive ? await freeFolder(to) : to);
  await project.disk.sync(archiveDir(project));
  await project.disk.sync(changesDir(project));
  return true;
};

/** The name was free when the intent was written; another tool may have taken it since. */
const freeFolder = async (folder: string): Promise<string> => {
  let free = folder;
  for (let count = 2; await hasFolder(free); count += 1) free = `${folder}-${count}`;
  return free;
};

/** After the rename, a new change may have taken the slug; the receipt in the archive tells that we are done. */
const isArchivedAlready = async (project: Project, { slug, archivedAs, writes }: Intent): Promise<boolean> => {
  const receipt = writes.find((write) => write.path === openPath(slug, RECEIPT_FILE))?.after;
  const archived = path.join(archiveDir(project), archivedAs, RECEIPT_FILE);
  return receipt !== undefined && (await readInside(project.openspecDir, archived)) === receipt;
};

const current = async (project: Project, write: IntendedWrite): Promise<string | null> =>
  (await readInside(project.openspecDir, path.join(project.openspecDir, write.path))) ?? null;

const put = async (project: Project, relative: string, text: string | null): Promise<void> => {
  const file = path.join(project.openspecDir, relative);
  await assertWritesInside(project.openspecDir, file);
  if (text !== null) {
    await replaceFile(project.disk, workDir(project, 'staging'), file, text);
    return;
  }
  await project.disk.remove(file);
  await project.disk.sync(path.dirname(file));
  if (relative.startsWith('specs/')) await pruneFolders(project, path.dirname(file));
};

/** Folders that a retired capability leaves empty; what else lies in one keeps it. */
const pruneFolders = async (project: Project, folder: string): Promise<void> => {
  for (let at = folder; at !== specsDir(project) && isInside(specsDir(project), at); at = path.dirname(at)) {
    try {
      await project.disk.removeEmpty(at);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return;
      throw error;
    }
    await project.disk.sync(path.dirname(at));
  }
};

const forget = async (project: Project, file: string): Promise<void> => {
  await project.disk.remove(file);
  await project.disk.sync(path.dirname(file));
};

/** What is no intent was not written by us: intents appear whole. It is kept for a person to look at. */
const quarantine = async (project: Project, file: string): Promise<void> => {
  const folder = workDir(project, 'quarantine');
  await ensureFolder(project.disk, folder);
  await project.disk.rename(file, path.join(folder, `${randomUUID()}-${path.basename(file)}`));
  await project.disk.sync(folder);
};

/** A folder in this place is as little an intent as an empty file. */
const readOrEmpty = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') return '';
    throw error;
  }
};

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
};

const hasFolder = async (folder: string): Promise<boolean> => {
  try {
    await readdir(folder);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};
