import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { RECEIPT_FILE } from './archived.ts';
import { sha256 } from './digest.ts';
import {
  ensureFolder,
  ensureOwnFolder,
  isFolder,
  isThere,
  removeQuietly,
  placeFiles,
  syncAll,
} from './disk/durable.ts';
import { errnoOf } from './disk/errno.ts';
import { isInside } from './disk/inside.ts';
import { assertWritesInside, namesOf, readPerhaps } from './disk/read.ts';
import { isIntent, openPath, parseIntent, textsOf, writeIntent, type IntendedWrite, type Intent } from './intent.ts';
import { archiveDir, changesDir, specsDir, workDir, type HeldProject } from './project.ts';

/** Writes the intent durably, carries it out and forgets it. A crash in between is made good by `recover`. */
export const commit = async (project: HeldProject, intent: Intent): Promise<void> => {
  const file = path.join(workDir(project, 'journal'), `${randomUUID()}.json`);
  // What recovery would not read again must not be begun.
  if (!isIntent(intent)) throw new CloutError('CHANGE_INVALID', 'A capability has a name that cannot be archived');
  targetsOf(project, intent).forEach((target) => assertWritesInside(project.openspecDir, target));
  await ensureJournal(project);
  await project.writes.reuse(workDir(project, 'spare'), writeIntent(intent));
  await project.writes.rename(workDir(project, 'spare'), file);
  await project.writes.sync(path.dirname(file));
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

/** What is written: the file where there is one, else its folder, which several may share. */
const targetsOf = (project: HeldProject, intent: Intent): ReadonlySet<string> => {
  const files = intent.writes.map((write) => path.join(project.openspecDir, write.path));
  return new Set([archiveDir(project), ...files.map((file) => (isThere(file) ? file : path.dirname(file)))]);
};

/** The journal is our only folder that must survive a power loss, so its way there is made to last with it. */
const ensureJournal = async (project: HeldProject): Promise<void> => {
  const journal = workDir(project, 'journal');
  if (!(await ensureOwnFolder(project.writes, journal))) return;
  await project.writes.sync(path.dirname(journal));
  await project.writes.sync(project.openspecDir);
};

/** Finishes what was begun, takes staging away. The caller holds the lock. */
export const recover = async (project: HeldProject): Promise<void> => {
  const journal = workDir(project, 'journal');
  for (const name of namesOf(journal).sort()) {
    const file = path.join(journal, name);
    const intent = parseIntent(readOrEmpty(file));
    if (intent === undefined) await quarantine(project, file);
    else {
      await carryOut(project, intent);
      await forget(project, file);
    }
  }
  const staging = workDir(project, 'staging');
  for (const name of namesOf(staging)) await removeQuietly(project.writes, path.join(staging, name));
};

/**
 * Idempotent; false where it was withdrawn. Somebody who edited a file between a crash and now keeps the text: then what
 * was written is taken back and the change stays where it was. So it does where its slug was taken meanwhile.
 */
const carryOut = async (project: HeldProject, intent: Intent): Promise<boolean> => {
  const isArchive = intent.op === 'archive';
  const places = [path.join(changesDir(project), intent.slug), path.join(archiveDir(project), intent.archivedAs)];
  const [from = '', to = ''] = isArchive ? places : places.reverse();
  if (!isFolder(from) || (isArchive && isArchivedAlready(project, intent))) return true;
  const { isForeign, wanted } = toWrite(project, intent.writes, !isArchive && isThere(to));
  await put(project, wanted);
  if (isForeign) return false;
  await move(project, from, isArchive ? freeFolder(to) : to);
  return true;
};

const move = async (project: HeldProject, from: string, to: string): Promise<void> => {
  await ensureFolder(project.writes, path.dirname(to));
  await project.writes.rename(from, to);
  // A move is one step of the file system's own journal: it lasts as soon as its target does.
  await project.writes.sync(path.dirname(to));
};

interface State {
  readonly file: string;
  readonly now: string | null;
  readonly texts: ReturnType<typeof textsOf>;
}

const stateOf = (project: HeldProject, write: IntendedWrite): State => {
  const file = path.join(project.openspecDir, write.path);
  const now = readPerhaps(project.openspecDir, file) ?? null;
  return { file, now, texts: textsOf(write, now) };
};

/** Texts by file, of those that must change; the text of somebody else stays, and then what was written is taken back. */
const toWrite = (
  project: HeldProject,
  writes: readonly IntendedWrite[],
  isTaken: boolean,
): { isForeign: boolean; wanted: ReadonlyMap<string, string | null> } => {
  const states = writes.map((write) => stateOf(project, write));
  const isForeign = isTaken || states.some(({ texts }) => texts === undefined);
  const wanted = new Map<string, string | null>();
  for (const { file, now, texts } of states) {
    if (texts === undefined) continue;
    const text = isForeign ? texts.before : texts.after;
    if (now !== text) wanted.set(file, text);
  }
  return { isForeign, wanted };
};

/** The name was free when the intent was written; another tool may have taken it since. */
const freeFolder = (folder: string): string => {
  let free = folder;
  for (let count = 2; isThere(free); count += 1) free = `${folder}-${count}`;
  return free;
};

/** After the rename, a new change may have taken the slug; the receipt in the archive tells that we are done. */
const isArchivedAlready = (project: HeldProject, { slug, archivedAs, writes }: Intent): boolean => {
  const receipt = writes.find((write) => write.path === openPath(slug, RECEIPT_FILE));
  const archived = readPerhaps(project.openspecDir, path.join(archiveDir(project), archivedAs, RECEIPT_FILE));
  return receipt !== undefined && archived !== undefined && sha256(archived) === receipt.after;
};

/** Texts by file; null takes the file away, and folders of specifications that it leaves empty. */
const put = async (project: HeldProject, wanted: ReadonlyMap<string, string | null>): Promise<void> => {
  const texts = [...wanted].filter((entry): entry is [string, string] => entry[1] !== null);
  const changed =
    texts.length === 0
      ? new Set<string>()
      : await placeFiles(project.writes, workDir(project, 'staging'), new Map(texts));
  for (const [file, text] of wanted) {
    if (text !== null) continue;
    await project.writes.remove(file);
    changed.add(path.dirname(file));
    if (isInside(specsDir(project), file)) await pruneFolders(project, path.dirname(file), changed);
  }
  await syncAll(project.writes, changed);
};

/** Folders that a retired capability leaves empty; what else lies in one keeps it. */
const pruneFolders = async (project: HeldProject, folder: string, changed: Set<string>): Promise<void> => {
  for (let at = folder; at !== specsDir(project) && isInside(specsDir(project), at); at = path.dirname(at)) {
    try {
      await project.writes.removeEmpty(at);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return;
      throw error;
    }
    changed.delete(at);
    changed.add(path.dirname(at));
  }
};

/** Its file is written again by the next one; where that cannot be, it goes. */
const forget = async (project: HeldProject, file: string): Promise<void> => {
  try {
    await project.writes.rename(file, workDir(project, 'spare'));
  } catch {
    await project.writes.remove(file);
  }
  await project.writes.sync(path.dirname(file));
};

/** What is no intent was not written by us, or was damaged since. It is kept for a person to look at. */
const quarantine = async (project: HeldProject, file: string): Promise<void> => {
  const folder = workDir(project, 'quarantine');
  await ensureOwnFolder(project.writes, folder);
  await project.writes.rename(file, path.join(folder, `${randomUUID()}-${path.basename(file)}`));
};

/** A folder in this place is as little an intent as an empty file. */
const readOrEmpty = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') return '';
    throw error;
  }
};
