import { CloutError } from '@cloutagent/contract';
import type { Changes } from '../changes.ts';

const MARKDOWN = 'text/markdown';
/** MCP's own bound on the values of a completion. */
const MAX_COMPLETIONS = 100;

export const RESOURCE_TEMPLATES = [
  { uriTemplate: 'change://{slug}/proposal', name: 'proposal', title: 'Proposal of a change', mimeType: MARKDOWN },
  { uriTemplate: 'change://{slug}/tasks', name: 'tasks', title: 'Tasks of a change', mimeType: MARKDOWN },
  { uriTemplate: 'change://{slug}/delta/{+file}', name: 'delta', title: 'Delta of a change', mimeType: MARKDOWN },
  {
    uriTemplate: 'changes://active{?page,limit,offset,status,owner,template}',
    name: 'changes',
    title: 'Active changes',
    mimeType: 'application/json',
  },
  {
    uriTemplate: 'changes://archived/{slug}',
    name: 'archived',
    title: 'Summary of an archived change',
    mimeType: 'application/json',
  },
];

const offsetOf = (cursor: string | undefined): number => {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/u.test(cursor)) return Number(cursor);
  throw new CloutError('INVALID_INPUT', 'The cursor is none of ours');
};

/**
 * Concrete resources of the active changes: clients complete `@` from this list and not from the templates.
 * @throws INVALID_INPUT for a foreign cursor
 */
export const listedResources = async (changes: Changes, cursor: string | undefined) => {
  const { items, nextOffset } = await changes.resources(offsetOf(cursor));
  return {
    resources: items.map((item) => ({ ...item })),
    ...(nextOffset === null ? {} : { nextCursor: String(nextOffset) }),
  };
};

/** Slugs that begin with what was typed. */
export const completeSlug = async (
  changes: Changes,
  typed: string,
): Promise<{ readonly values: string[]; readonly total: number; readonly hasMore: boolean }> => {
  const page = await changes.list({ limit: 200 });
  const slugs = page.items.map(({ slug }) => slug).filter((slug) => slug.startsWith(typed));
  return { values: slugs.slice(0, MAX_COMPLETIONS), total: slugs.length, hasMore: slugs.length > MAX_COMPLETIONS };
};
