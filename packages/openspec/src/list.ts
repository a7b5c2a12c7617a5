import type { ChangesActiveInput, ChangeSummary, Page } from '@cloutagent/contract';
import { entriesOf } from './disk/read.ts';
import { boundaryOf, directListing } from './listing/direct.ts';
import type { Listed } from './listing/listing.ts';
import { partnersIn } from './listing/partners.ts';
import { afterToken, toToken } from './page-token.ts';
import { shownPath, workDir, type Project } from './project.ts';

/** Page size where none is asked for (seed 002). */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

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
  const listing = project.listing ?? directListing(project);
  const everything = await listing.sorted(query.status === 'all');
  const all = filtered(everything, query);
  const start = query.pageToken === undefined ? (query.offset ?? 0) : afterToken(all, query.pageToken);
  const shown = all.slice(start, start + pageSize);
  const last = shown.at(-1);
  return {
    page: Math.floor(start / pageSize) + 1,
    pageSize,
    total: all.length,
    nextPageToken: last === undefined || start + pageSize >= all.length ? null : toToken(last),
    items: await withPartners(project, everything, shown, await listing.summaries(shown)),
    ...putAside(project),
  };
};

/** Records of operations that nobody could read any more were put aside, where only a person can judge them. */
const putAside = (project: Project): { warnings?: string[] } => {
  const folder = workDir(project, 'quarantine');
  const count = entriesOf(folder).length;
  if (count === 0) return {};
  const records = count === 1 ? '1 record' : `${count} records`;
  return {
    warnings: [
      `${records} of an archive that was begun could not be read and lie in ${shownPath(project, folder)}: compare the specifications with your version control, then delete that folder`,
    ],
  };
};

/** Each open change with those that name the same requirement. */
const withPartners = async (
  project: Project,
  everything: readonly Listed[],
  shown: readonly Listed[],
  items: readonly ChangeSummary[],
): Promise<ChangeSummary[]> => {
  const boundary = boundaryOf(project);
  if (boundary === undefined) return [...items];
  const monotonic = (): number => project.clock.monotonic();
  const partners = await partnersIn(everything, shown, { boundary, monotonic });
  return items.map((item) => {
    const overlapsWith = partners.get(item.paths.root);
    return overlapsWith === undefined ? item : { ...item, overlapsWith };
  });
};

const filtered = (
  all: readonly Listed[],
  { template, owner }: Pick<Partial<ChangesActiveInput>, 'template' | 'owner'>,
): readonly Listed[] =>
  template === undefined && owner === undefined
    ? all
    : all.filter(
        (one) => (template === undefined || one.template === template) && (owner === undefined || one.owner === owner),
      );

/** Names of the active changes, newest first. */
export const activeNames = async (project: Project): Promise<string[]> =>
  (await (project.listing ?? directListing(project)).sorted(false)).map(({ name }) => name);
