import path from 'node:path';
import { CloutError, type ArchiveResult, type Task } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { archivedNames, RECEIPT_FILE } from './archived.ts';
import { loadChange, titleOf, type ChangeFiles } from './change.ts';
import { specProblems } from './grammar/spec.ts';
import { readInside } from './disk/read.ts';
import { receiptPath, type IntendedWrite } from './intent.ts';
import { commit, mutate } from './journal.ts';
import { assertFree } from './lease.ts';
import { mergeDelta } from './merge/merge.ts';
import type { Merge } from './merge/model.ts';
import { archiveDir, shownPath, type Caller, type Project } from './project.ts';
import { plainReceipt, type ArchiveDraft } from './receipt.ts';
import { isUntouched, untouchedFiles } from './scaffold.ts';
import { parseTasks } from './tasks.ts';
import { findingsOf, isValid, meetSpecs, specFile, type MetDelta } from './validate.ts';

export interface ArchiveOptions {
  readonly slug: string;
  readonly allowIncomplete?: boolean | undefined;
  /** Name of who archives: for the lease and the receipt. */
  readonly principal: string;
  /** Makes the object that becomes `receipt.json`, in the same commit. */
  readonly receipt?: (draft: ArchiveDraft) => Promise<object>;
}

/**
 * Validates a change, merges its deltas into the specifications and moves it to the archive: all of it or nothing.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, CHANGE_LOCKED, CHANGE_INVALID with `details.issues`,
 * CHANGE_TASKS_INCOMPLETE, CHANGE_CONFLICT, NOT_IMPLEMENTED
 */
export const archiveChange = async (project: Project, options: ArchiveOptions): Promise<ArchiveResult> =>
  mutate(project, async () => {
    const files = await loadChange(project, options.slug);
    const who: Caller = { ...project, caller: options.principal };
    assertFree(project, files.name, files.meta, who);
    const met = await meetSpecs(project, files);
    await assertValid(project, files, met);
    const tasks = parseTasks(files.tasks ?? '');
    const isScaffold = await isUntouched(files);
    if (!isScaffold) assertDone(files.name, tasks, options.allowIncomplete === true);
    const merges = isScaffold ? [] : mergesOf(files.name, met);
    const result = await resultOf(project, files, merges);
    const draft: ArchiveDraft = { ...result, tasks, title: titleOf(files) };
    const receipt = await (options.receipt ?? plainReceipt(project, options.principal))(draft);
    const receiptFile = path.join(files.folder, RECEIPT_FILE);
    await commit(project, {
      format: 1,
      op: 'archive',
      slug: files.name,
      archivedAs: result.archivedAs,
      writes: [
        ...merges.filter(({ merge }) => merge.changed).map((merged) => writeOf(project, merged)),
        {
          path: receiptPath(files.name),
          before: (await readInside(project.openspecDir, receiptFile)) ?? null,
          after: `${JSON.stringify(receipt, null, 2)}\n`,
        },
      ],
    });
    return result;
  });

type Merged = MetDelta & { readonly merge: Merge };

const assertValid = async (project: Project, files: ChangeFiles, met: readonly MetDelta[]): Promise<void> => {
  const issues = await findingsOf(project, files, met);
  if (isValid(issues, false)) return;
  throw new CloutError('CHANGE_INVALID', `Validation failed for change '${files.name}'`, {
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

/** Every capability is merged in memory before any is written; one refusal refuses them all. */
const mergesOf = (slug: string, met: readonly MetDelta[]): Merged[] => {
  for (const one of met) assertAddsOnly(one);
  return met.map((one) => {
    const { capability, text, delta, base } = one;
    const merge = mergeDelta({ capability, slug, delta, deltaText: text, base });
    if ('refused' in merge) throw conflict(slug, capability, merge.refused);
    const problems = merge.changed ? specProblems(merge.text) : [];
    if (problems.length > 0) {
      const issues = problems.map((message) => ({
        level: 'ERROR',
        code: 'SPEC_INVALID',
        path: `specs/${capability}/spec.md`,
        message,
      }));
      throw new CloutError(
        'CHANGE_INVALID',
        `Rebuilt spec for '${capability}' failed validation; nothing was changed`,
        {
          details: { slug, capability, issues },
        },
      );
    }
    return { ...one, merge };
  });
};

/** Replacing or deleting what others wrote needs fingerprints of what they started from, or text is lost silently. */
const assertAddsOnly = ({ capability, delta }: MetDelta): void => {
  const operations = delta.sections.filter((operation) => operation !== 'ADDED');
  if (operations.length === 0) return;
  const list = operations.join(', ');
  throw new CloutError(
    'NOT_IMPLEMENTED',
    `${capability}: this version archives ADDED requirements only, not ${list}; nothing was changed`,
    {
      details: { capability, operations },
      hint: 'Archive this change with the openspec command, or wait for the next version',
    },
  );
};

const conflict = (slug: string, capability: string, message: string): CloutError =>
  new CloutError('CHANGE_CONFLICT', `${message}; nothing was changed`, { details: { slug, capability } });

const resultOf = async (project: Project, files: ChangeFiles, merges: readonly Merged[]): Promise<ArchiveResult> => {
  const archivedAt = toIso(project.clock.now());
  const archivedAs = freeName(files.name, archivedAt.slice(0, 10), new Set(await archivedNames(project)));
  const folder = path.join(archiveDir(project), archivedAs);
  const sum = (count: (merge: Merge) => number): number => merges.reduce((total, { merge }) => total + count(merge), 0);
  const untouched = new Set(merges.length === 0 ? [] : untouchedFiles(files));
  return {
    slug: files.name,
    archivedAs,
    archivedAt,
    path: shownPath(project, folder),
    specs: merges
      .filter(({ merge }) => merge.changed)
      .map(({ capability, merge }) => ({
        capability,
        path: shownPath(project, specFile(project, capability)),
        created: merge.created,
        added: [...merge.added],
      })),
    totals: {
      added: sum(({ added }) => added.length),
      modified: sum(({ modified }) => modified.length),
      removed: sum(({ removed }) => removed.length),
      renamed: sum(({ renamed }) => renamed.length),
    },
    warnings: merges.flatMap(({ capability, merge }) => [
      ...merge.warnings,
      ...(untouched.has(`specs/${capability}/spec.md`)
        ? [`${capability} - the delta is still the text of the template; it was merged as it stands.`]
        : []),
    ]),
    receiptPath: shownPath(project, path.join(folder, RECEIPT_FILE)),
  };
};

/** `YYYY-MM-DD-<slug>`, unless the slug starts with a date already; a number where that name is taken. */
const freeName = (slug: string, day: string, taken: ReadonlySet<string>): string => {
  const base = /^\d{4}-\d{2}-\d{2}-/u.test(slug) ? slug : `${day}-${slug}`;
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  return name;
};

const writeOf = (project: Project, { capability, base, merge }: Merged): IntendedWrite => ({
  path: path.relative(project.openspecDir, specFile(project, capability)).split(path.sep).join('/'),
  before: base ?? null,
  after: merge.text,
});
