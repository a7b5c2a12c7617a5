import path from 'node:path';
import { CloutError, type ArchiveResult, type Task } from '@cloutagent/contract';
import { mergesOf, writesOf, type Merged } from './archive/merged.ts';
import { resultOf } from './archive/result.ts';
import { undoOf } from './archive/undo.ts';
import { RECEIPT_FILE, UNDO_FILE } from './archived.ts';
import { keepBases, noteBasesLocked, readBases, seen } from './base/see.ts';
import { checkBases, staleError } from './base/stale.ts';
import { loadChange, titleOf, type ChangeFiles, type ChangePlace } from './change.ts';
import { readPerhaps } from './disk/read.ts';
import { intend, openPath, type IntendedWrite, type Intent } from './intent.ts';
import { mutate } from './held.ts';
import { commit } from './journal.ts';
import { assertFree } from './lease.ts';
import { overlapsWith } from './overlaps.ts';
import type { HeldProject, Project } from './project.ts';
import { plainReceipt, type ArchiveDraft } from './receipt.ts';
import { isUntouched } from './scaffold.ts';
import { parseTasks } from './tasks.ts';
import { assertNoTwins } from './twins.ts';
import { findingsOf, isValid, verdictOf } from './validate.ts';
import { meetSpecs, type MetDelta } from './met.ts';

export interface ArchiveOptions {
  readonly slug: string;
  readonly allowIncomplete?: boolean | undefined;
  /** Where both sides only added scenarios to a requirement, keep those of both. */
  readonly union?: boolean | undefined;
  /** Looks at what is about to be archived: gives warnings, or refuses it by throwing. */
  readonly gate?: (draft: ArchiveDraft) => Promise<readonly string[]>;
  /** Makes the object that becomes `receipt.json`, in the same commit. */
  readonly receipt?: (draft: ArchiveDraft) => Promise<object>;
}

/**
 * Validates a change, merges its deltas into the specifications and moves it to the archive: all of it or nothing.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, CHANGE_LOCKED, CHANGE_INVALID with `details.issues`,
 * CHANGE_TASKS_INCOMPLETE, CHANGE_CONFLICT (where others changed what the change started from: with the texts of both
 * sides in `details`)
 */
export const archiveChange = async (given: Project, options: ArchiveOptions): Promise<ArchiveResult> =>
  mutate(given, async (project) => {
    const files = await loadChange(project, options.slug);
    assertFree(project, files.name, files.meta);
    const tasks = files.tracked.flatMap(parseTasks);
    const { merged, warnings } = isUntouched(project, files)
      ? await scaffold(project, files)
      : await checked(project, files, tasks, options);
    const plain = resultOf(project, files, merged);
    const overlaps = merged.length === 0 ? [] : await overlapsWith(project, files.name, merged, noteOf(project));
    const found = { ...plain, warnings: [...warnings, ...plain.warnings], overlaps };
    const seenBy: ArchiveDraft = { ...found, tasks, title: titleOf(files) };
    const result = { ...found, warnings: [...found.warnings, ...((await options.gate?.(seenBy)) ?? [])] };
    const draft: ArchiveDraft = { ...seenBy, warnings: result.warnings };
    const receipt = await (options.receipt ?? plainReceipt(project))(draft);
    await commit(project, intentOf(project, files, result.archivedAs, writesOf(merged), receipt));
    return result;
  });

/** The specifications with the receipt and the way back, which are written into the folder of the change before it moves. */
const intentOf = (
  project: Project,
  { name: slug, folder }: ChangeFiles,
  archivedAs: string,
  specs: readonly IntendedWrite[],
  receipt: object,
): Intent => {
  const replaced = readPerhaps(project.openspecDir, path.join(folder, RECEIPT_FILE)) ?? null;
  const undone = readPerhaps(project.openspecDir, path.join(folder, UNDO_FILE)) ?? null;
  const own = (name: string, before: string | null, after: object): IntendedWrite =>
    intend(openPath(slug, name), before, `${JSON.stringify(after, null, 2)}\n`);
  const writes = [
    ...specs,
    own(RECEIPT_FILE, replaced, receipt),
    own(UNDO_FILE, undone, undoOf(slug, specs, replaced)),
  ];
  return { format: 2, op: 'archive', slug, archivedAs, writes };
};

interface ToMerge {
  readonly merged: readonly Merged[];
  readonly warnings: readonly string[];
}

const scaffold = async (project: Project, files: ChangeFiles): Promise<ToMerge> => {
  assertValid(project, files, await meetSpecs(project, files));
  return { merged: [], warnings: [] };
};

/** What the deltas make of the specifications. Where this is refused, what they start from is noted before. */
const checked = async (
  project: HeldProject,
  files: ChangeFiles,
  tasks: readonly Task[],
  { allowIncomplete = false, union = false }: ArchiveOptions,
): Promise<ToMerge> => {
  const met = await meetSpecs(project, files);
  const known = readBases(project, files.folder);
  const found = checkBases(met, seen(known, met), union);
  try {
    if (found.stale.length > 0) throw staleError(files.name, found.stale);
    assertNoTwins(project, files.name, found.met);
    assertValid(project, files, found.met);
    assertDone(files.name, tasks, allowIncomplete);
    return { merged: mergesOf(files.name, found.met, files.meta.retireCapabilities), warnings: found.warnings };
  } catch (error) {
    await keepBases(project, files.folder, known, found.bases);
    throw error;
  }
};

/** Others that never were looked at start from the text before this archive, so it is noted before it is written. */
const noteOf =
  (project: HeldProject) =>
  async (_: Project, place: ChangePlace, met: readonly MetDelta[], isShared: boolean): Promise<void> =>
    noteBasesLocked(project, place, met, isShared);

const assertValid = (project: Project, files: ChangeFiles, met: readonly MetDelta[]): void => {
  if (isValid(verdictOf(project, files, met), false)) return;
  const issues = findingsOf(project, files, met);
  throw new CloutError('CHANGE_INVALID', `Validation failed for change '${files.name}'`, {
    hint: `clout change validate ${files.name} lists what is wrong and where`,
    details: { slug: files.name, issues },
  });
};

const assertDone = (slug: string, tasks: readonly Task[], allowIncomplete: boolean): void => {
  const open = tasks.filter(({ done }) => !done);
  if (allowIncomplete || open.length === 0) return;
  throw new CloutError('CHANGE_TASKS_INCOMPLETE', `${open.length} incomplete task(s) found for change '${slug}'`, {
    details: {
      slug,
      open: open.length,
      total: tasks.length,
      tasks: open.slice(0, 20).map(({ id, title }) => ({ id, title })),
    },
  });
};
