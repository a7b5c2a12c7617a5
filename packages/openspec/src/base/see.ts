import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { loadDeltas, type ChangePlace } from '../change.ts';
import { sha256 } from '../digest.ts';
import type { Disk } from '../disk/disk.ts';
import { replaceFile } from '../disk/durable.ts';
import { errnoOf } from '../disk/errno.ts';
import { readPerhaps } from '../disk/read.ts';
import { withStorageErrors } from '../disk/storage-error.ts';
import type { Requirement } from '../grammar/requirement.ts';
import { mutate } from '../held.ts';
import { workDir, type HeldProject, type Project } from '../project.ts';
import { meetSpecs, type MetDelta } from '../met.ts';
import { BASES_FILE, MAX_TEXT, parseNote, writeNote, type Base, type Note } from './bases.ts';
import { blockOf, blocksOf, sourcesOf, textOf, type Source } from './source.ts';

export const keyOf = ({ capability, requirement }: Pick<Base, 'capability' | 'requirement'>): string =>
  `${capability}\0${requirement}`;

/** The heading does not count: a requirement that is only renamed has the same text. */
export const digestOf = (block: Requirement | undefined): string | null =>
  block === undefined
    ? null
    : sha256(
        textOf(block)
          .replace(/^.*\n?/u, '')
          .trim(),
      );

/** What an author sees as the own side of a conflict. */
export const yoursOf = ({ operation, yours }: Source): string =>
  yours === undefined ? operation : `${operation}\n${textOf(yours)}`;

export const baseOf = (capability: string, requirement: string, block: Requirement | undefined): Base => {
  const text = block === undefined ? undefined : textOf(block);
  return {
    capability,
    requirement,
    sha256: digestOf(block),
    ...(text === undefined || text.length > MAX_TEXT ? {} : { text }),
  };
};

/**
 * The bases after one more look. What is named for the first time starts from the specification as it is now. An
 * author who was shown a conflict and edited the text since has taken the other side into account: from then on the
 * text starts from what was shown. Names that the deltas drop stay, so that a slip of the pen forgets nothing.
 */
export const seen = (known: readonly Base[], met: readonly MetDelta[]): Base[] => {
  const bases = new Map(known.map((base) => [keyOf(base), base]));
  for (const { capability, delta, base: spec } of met) {
    for (const source of sourcesOf(delta)) {
      const { requirement } = source;
      const key = keyOf({ capability, requirement });
      const before = bases.get(key);
      // Noted already, as almost all are: what the specification says now changes nothing.
      if (before !== undefined && before.shown === undefined) continue;
      const block = blockOf(blocksOf(spec), source);
      const shown = before?.shown;
      const isAnswered =
        shown !== undefined && shown.current === digestOf(block) && shown.yours !== sha256(yoursOf(source));
      if (isAnswered || before === undefined) bases.set(key, baseOf(capability, requirement, block));
    }
  }
  return [...bases.values()];
};

export const readBases = (project: Project, folder: string): readonly Base[] => readNote(project, folder).bases;

const readNote = (project: Project, folder: string): Note =>
  parseNote(readPerhaps(project.openspecDir, path.join(folder, BASES_FILE)));

/**
 * Notes what a change starts from, for operations that hold the lock. `mustLast`: false where nothing that the note tells
 * of is about to change, so that it can be taken again after a power loss.
 */
export const noteBasesLocked = async (
  project: HeldProject,
  { folder }: Pick<ChangePlace, 'folder'>,
  met: readonly MetDelta[],
  mustLast = true,
): Promise<void> => {
  const { bases: known, isPassing } = readNote(project, folder);
  const bases = seen(known, met);
  if (!mustLast && areSame(known, bases)) return;
  if (!mustLast && known.length === 0 && (await noteFirst(project.writes, folder, bases))) return;
  await keepBases(project, folder, isPassing ? [] : known, bases);
};

/** The caller holds the lock. Nothing is written where nothing is new. */
export const keepBases = async (
  project: HeldProject,
  folder: string,
  known: readonly Base[],
  bases: readonly Base[],
): Promise<void> => {
  if (areSame(known, bases)) return;
  const text = lasting(bases);
  if (text === lasting(known)) return;
  await replaceFile(project.writes, workDir(project, 'staging'), path.join(folder, BASES_FILE), text);
};

const lasting = (bases: readonly Base[]): string => writeNote({ bases, isPassing: false });

/** Notes that stay are the same objects. */
const areSame = (known: readonly Base[], bases: readonly Base[]): boolean =>
  known.length === bases.length && known.every((base, index) => base === bases[index]);

/** Longest wait of somebody who only looks for another who writes. */
const PATIENCE_MS = 250;
/** What keeps a note from being taken, but is no reason not to show the change. */
const TOLERATED = new Set(['CHANGE_LOCKED', 'CHANGE_NOT_FOUND', 'CHANGE_ALREADY_ARCHIVED', 'FORBIDDEN']);

/**
 * Notes what a change starts from, for operations that only look at it; gives the note as it is now. A folder that
 * cannot be written, or that somebody else is writing, is looked at all the same: then the next look takes the note.
 */
export const noteBases = async (
  project: Project,
  files: ChangePlace,
  met: readonly MetDelta[],
): Promise<readonly Base[]> => {
  const known = readBases(project, files.folder);
  const bases = seen(known, met);
  if (areSame(known, bases)) return known;
  try {
    if (known.length === 0 && (await noteFirstAlone(project, files.folder, bases))) return bases;
    await mutate(
      project,
      async (held) => {
        const now = await loadDeltas(held, files.name);
        await noteBasesLocked(held, now, await meetSpecs(held, now));
      },
      { timeoutMs: PATIENCE_MS },
    );
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(TOLERATED.has(code) || code.startsWith('STORAGE_'))) throw error;
  }
  return readBases(project, files.folder);
};

/**
 * The first note needs no lock: whoever changes a specification notes before what others start from, so where there was
 * no note after the specification was read, it is what the change starts from.
 */
const noteFirstAlone = async (project: Project, folder: string, bases: readonly Base[]): Promise<boolean> =>
  withStorageErrors(async () => {
    using disk = project.disk(project.openspecDir);
    return await noteFirst(disk, folder, bases);
  });

/** False where there is a note by now. */
const noteFirst = async (disk: Disk, folder: string, bases: readonly Base[]): Promise<boolean> => {
  try {
    await disk.note(path.join(folder, BASES_FILE), writeNote({ bases, isPassing: true }));
    return true;
  } catch (error) {
    // The last: archived meanwhile.
    if (['EEXIST', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
};
