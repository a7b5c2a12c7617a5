import path from 'node:path';
import { codeOf, type ChangesActiveInput, type ChangeSummary, type Page } from '@cloutagent/contract';
import { archivedNames, readReceipt, slugIn, slugOfArchived } from './archived.ts';
import { isChangeFolder, timesOf, toSummary } from './change.ts';
import { errnoOf } from './disk/disk.ts';
import { entriesOf, readInside } from './disk/read.ts';
import { META_FILE, parseMeta, type Meta } from './meta.ts';
import { afterToken, toToken, type Place } from './page-token.ts';
import { archiveDir, changesDir, type Project } from './project.ts';
import { isChangeName } from './slug.ts';

/** Page size where none is asked for (seed 002). */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

type Found = Place & {
  readonly name: string;
  readonly folder: string;
  readonly status: ChangeSummary['status'];
  readonly meta: Meta;
};

/**
 * Lists changes, newest first, as the files are at this moment. `all` adds the archived ones; names outside the slug
 * rule are listed too. `pageToken` wins over `offset` and neither repeats nor skips a change while others come and go.
 * @throws INVALID_INPUT for a token that is none
 */
export const listChanges = async (
  project: Project,
  query: Partial<ChangesActiveInput> = {},
): Promise<Page<ChangeSummary>> => {
  const pageSize = Math.min(MAX_LIMIT, Math.max(1, query.limit ?? DEFAULT_LIMIT));
  const all = (await findChanges(project, query.status === 'all'))
    .filter(({ meta }) => query.template === undefined || meta.template === query.template)
    .filter(({ meta }) => query.owner === undefined || (meta.owner ?? meta.lease?.owner) === query.owner)
    .sort((a, b) => b.createdAt - a.createdAt || (a.key < b.key ? -1 : 1));
  const start = query.pageToken === undefined ? (query.offset ?? 0) : afterToken(all, query.pageToken);
  const shown = all.slice(start, start + pageSize);
  const last = shown.at(-1);
  const items: ChangeSummary[] = [];
  for (const found of shown) items.push(...(await summaryOf(project, found)));
  return {
    page: Math.floor(start / pageSize) + 1,
    pageSize,
    total: all.length,
    nextPageToken: last === undefined || start + pageSize >= all.length ? null : toToken(last),
    items,
  };
};

/** Names of the active changes, newest first. */
export const activeNames = async (project: Project): Promise<string[]> =>
  (await findChanges(project, false))
    .sort((a, b) => b.createdAt - a.createdAt || (a.key < b.key ? -1 : 1))
    .map(({ name }) => name);

const findChanges = async (project: Project, withArchived: boolean): Promise<Found[]> => {
  const found: Found[] = [];
  for (const entry of await entriesOf(changesDir(project))) {
    if (!isChangeName(entry.name)) continue;
    if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const folder = path.join(changesDir(project), entry.name);
    if (entry.isDirectory() || (await isChangeFolder(project, folder))) {
      found.push(...(await place(project, { name: entry.name, key: entry.name, folder, status: 'draft' })));
    }
  }
  for (const name of withArchived ? await archivedNames(project) : []) {
    const slug = slugIn(await readReceipt(project, name)) ?? slugOfArchived(name);
    const folder = path.join(archiveDir(project), name);
    found.push(...(await place(project, { name: slug, key: `archive/${name}`, folder, status: 'archived' })));
  }
  return found;
};

const place = async (project: Project, change: Omit<Found, 'meta' | 'createdAt'>): Promise<Found[]> =>
  unlessGone(async () => {
    const meta = parseMeta(await readLenient(project, path.join(change.folder, META_FILE)));
    const createdAt =
      meta.opened === undefined ? (await timesOf(change.folder, meta)).created : Date.parse(meta.opened);
    return { ...change, meta, createdAt };
  });

const summaryOf = async (project: Project, { name, folder, status, meta }: Found): Promise<ChangeSummary[]> =>
  unlessGone(async () => {
    const proposal = await readLenient(project, path.join(folder, 'proposal.md'));
    const tasks = await readLenient(project, path.join(folder, 'tasks.md'));
    return toSummary({ name, folder, meta, proposal, tasks }, status);
  });

/** One broken or hostile file must not hide all other changes: it counts as absent here, and is refused when read. */
const readLenient = async (project: Project, file: string): Promise<string | undefined> => {
  try {
    return await readInside(project.openspecDir, file);
  } catch (error) {
    if (codeOf(error) !== undefined || errnoOf(error) === 'EACCES') return undefined;
    throw error;
  }
};

/** A change that is archived between two looks is left out. */
const unlessGone = async <T>(look: () => Promise<T>): Promise<T[]> => {
  try {
    return [await look()];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
};
