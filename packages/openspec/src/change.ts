import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { CloutError, type ChangeSummary, type Finding } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { archivedAs } from './archived.ts';
import { deltaMeter } from './delta-size.ts';
import { errnoOf } from './disk/errno.ts';
import { identityOf } from './disk/identity.ts';
import { readInside, realOf, walkFiles, type FoundFile } from './disk/read.ts';
import { parseDelta } from './grammar/delta.ts';
import { sliced } from './listing/slice.ts';
import { META_FILE, parseMeta, type Meta } from './meta.ts';
import { isOwnName } from './own-name.ts';
import { changesDir, type Project } from './project.ts';
import { isInside } from './disk/inside.ts';
import { assertChangeName, isChangeName } from './slug.ts';
import { shortcomings, warningsIn } from './shortcomings.ts';
import { countTasks } from './tasks.ts';
import { TASKS_FILE, trackedNames, trackPattern } from './tracks.ts';

/** A change as it lies on disk, read once. Texts are undefined where the file does not exist. */
export interface ChangeFiles {
  readonly name: string;
  readonly folder: string;
  readonly meta: Meta;
  readonly metaText: string | undefined;
  readonly proposal: string | undefined;
  readonly tasks: string | undefined;
  /** Texts of all files that hold tasks; those of `tasks.md`, where the workflow schema names no others. */
  readonly tracked: readonly string[];
  /** Where the workflow schema says that they are. */
  readonly pattern: string;
  /** Deltas by capability, sorted. */
  readonly deltas: readonly { readonly capability: string; readonly path: string; readonly text: string }[];
  /** Every file under `specs/`, by its name in there. */
  readonly specFiles: readonly FoundFile[];
}

const DELTA_FILE = '/spec.md';

export const changeFolder = (project: Project, slug: string): string => path.join(changesDir(project), slug);

/** Is there a real folder, no link that leads out? */
export const isChangeFolder = (project: Project, folder: string): boolean => {
  try {
    const boundary = realOf(project.openspecDir);
    const real = realpathSync.native(folder);
    return boundary !== undefined && isInside(boundary, real) && lstatSync(real).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
};

/** @throws INVALID_INPUT, CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED */
export const loadChange = (project: Project, slug: string): Promise<ChangeFiles> =>
  readWhole(project, slug, (folder) => loadFolder(project, slug, folder));

/**
 * Text of one document of a change, `proposal.md` or `tasks.md`; undefined where it has none.
 * @throws INVALID_INPUT, CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED
 */
export const readDocument = (project: Project, slug: string, name: string): Promise<string | undefined> =>
  readWhole(project, slug, async (folder) => readInside(project.openspecDir, path.join(folder, name)));

const readWhole = async <T>(project: Project, slug: string, read: (folder: string) => Promise<T>): Promise<T> => {
  if (slug !== 'archive') assertChangeName(slug);
  const folder = changeFolder(project, slug);
  while (isChangeName(slug) && isChangeFolder(project, folder) && isOwnName(changesDir(project), slug)) {
    const before = identityOf(folder);
    const found = await read(folder);
    // A folder that was archived, or replaced by a new change of this name, would be shown as a mixture.
    if (before !== undefined && identityOf(folder) === before) return found;
  }
  const archived = archivedAs(project, slug);
  if (archived.length > 0) {
    throw new CloutError('CHANGE_ALREADY_ARCHIVED', `Change '${slug}' is archived already`, {
      details: { slug, archived_as: archived.at(-1) },
    });
  }
  throw new CloutError('CHANGE_NOT_FOUND', `There is no change '${slug}'`, { details: { slug } });
};

export type ChangePlace = Pick<ChangeFiles, 'name' | 'folder'>;

/** What a change says of the specifications, without its other documents. */
export type ChangeDeltas = Pick<ChangeFiles, 'name' | 'folder' | 'deltas' | 'specFiles'>;

/** @throws INVALID_INPUT, CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED */
export const loadDeltas = (project: Project, slug: string): Promise<ChangeDeltas> =>
  readWhole(project, slug, (folder) => deltasIn(project, slug, folder));

const deltasIn = async (project: Project, name: string, folder: string): Promise<ChangeDeltas> => {
  const specFiles = walkFiles(project.openspecDir, path.join(folder, 'specs'));
  const deltas: { capability: string; path: string; text: string }[] = [];
  const measure = deltaMeter();
  const slice = sliced(() => project.clock.monotonic());
  for (const file of specFiles) {
    const text = file.name.endsWith(DELTA_FILE) ? readInside(project.openspecDir, file.path) : undefined;
    if (text === undefined) continue;
    measure(`specs/${file.name}`, text);
    if (slice.isOver()) await slice.pause();
    deltas.push({ capability: file.name.slice(0, -DELTA_FILE.length), path: `specs/${file.name}`, text });
  }
  // By capability, not by file: `a-b` stands before `a/b` as OpenSpec orders them.
  return { name, folder, deltas: deltas.sort((a, b) => (a.capability < b.capability ? -1 : 1)), specFiles };
};

const loadFolder = async (project: Project, name: string, folder: string): Promise<ChangeFiles> => {
  const read = (file: string): string | undefined => readInside(project.openspecDir, file);
  const metaText = read(path.join(folder, META_FILE));
  const { deltas, specFiles } = await deltasIn(project, name, folder);
  const meta = parseMeta(metaText);
  const tasks = read(path.join(folder, TASKS_FILE));
  const pattern = trackPattern(realOf(project.openspecDir) ?? project.openspecDir, meta.schema);
  return {
    name,
    folder,
    meta,
    metaText,
    proposal: read(path.join(folder, 'proposal.md')),
    tasks,
    pattern,
    tracked: trackedTexts(project, folder, pattern, tasks),
    deltas,
    specFiles,
  };
};

const trackedTexts = (project: Project, folder: string, pattern: string, tasks: string | undefined): string[] => {
  if (pattern === TASKS_FILE) return tasks === undefined ? [] : [tasks];
  const names = walkFiles(project.openspecDir, folder).map(({ name }) => name);
  const texts: string[] = [];
  for (const name of trackedNames(names, pattern)) {
    const text = readInside(project.openspecDir, path.join(folder, name));
    if (text !== undefined) texts.push(text);
  }
  return texts;
};

export const titleOf = ({ name, meta, proposal }: Pick<ChangeFiles, 'name' | 'meta' | 'proposal'>): string => {
  const heading = /^\uFEFF?#[ \t]+(\S.*)$/mu.exec(proposal ?? '')?.[1]?.trim();
  return meta.title ?? heading?.replace(/^(?:change|proposal):\s*/iu, '') ?? name;
};

/** A whole change is read or refused, so no file of it is passed over. */
export const shortcomingsOf = ({
  meta,
  tracked,
  pattern,
}: Pick<ChangeFiles, 'meta' | 'tracked' | 'pattern'>): Finding[] =>
  shortcomings({ meta, unread: [], tasks: { pattern, files: tracked.length } });

/** Milliseconds since 1970; `created` is what the change says of itself, else the birth of its folder. */
export const timesOf = (project: Project, folder: string, meta: Meta): { created: number; updated: number } => {
  const own = lstatSync(folder);
  let updated = 0;
  for (const file of [...walkFiles(project.openspecDir, folder), { path: path.join(folder, META_FILE) }]) {
    updated = Math.max(updated, modifiedAt(file.path));
  }
  const born = own.birthtimeMs > 0 ? own.birthtimeMs : own.mtimeMs;
  return {
    created: meta.opened === undefined ? Math.floor(born) : Date.parse(meta.opened),
    updated: Math.floor(updated === 0 ? own.mtimeMs : updated),
  };
};

const modifiedAt = (file: string): number => lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

export const toSummary = (
  project: Project,
  files: Pick<ChangeFiles, 'name' | 'folder' | 'meta' | 'proposal' | 'tracked' | 'pattern'>,
  status: ChangeSummary['status'] = 'draft',
): ChangeSummary => {
  const { created, updated } = timesOf(project, files.folder, files.meta);
  const owner = files.meta.owner ?? files.meta.lease?.owner;
  return {
    slug: files.name,
    title: titleOf(files),
    status,
    ...(files.meta.template === undefined ? {} : { template: files.meta.template }),
    ...(owner === undefined ? {} : { owner }),
    createdAt: toIso(created),
    updatedAt: toIso(updated),
    tasks: countTasks(files.tracked),
    paths: {
      root: files.folder,
      proposal: path.join(files.folder, 'proposal.md'),
      tasks: path.join(files.folder, 'tasks.md'),
    },
    ...warningsIn(shortcomingsOf(files)),
  };
};

/** Does a file under `specs/` that is no `spec.md` of a capability hold delta sections all the same? */
export const holdsDelta = (project: Project, file: FoundFile): boolean => {
  const text = readInside(project.openspecDir, file.path);
  return text !== undefined && parseDelta(text).sections.length > 0;
};
