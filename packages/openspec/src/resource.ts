import path from 'node:path';
import { ChangesActiveInput, CloutError, codeOf } from '@cloutagent/contract';
import { archivedAs, readReceipt } from './archived.ts';
import { loadChange, readDocument, type ChangeFiles } from './change.ts';
import { activeNames, listChanges } from './list.ts';
import { archiveDir, shownPath, type Project } from './project.ts';

export interface Resource {
  /** As it was asked for. */
  readonly uri: string;
  readonly mimeType: 'text/markdown' | 'application/json';
  readonly text: string;
}

export interface ListedResource {
  readonly uri: string;
  readonly name: string;
  readonly mimeType: Resource['mimeType'];
}

/** A path of a file system has 4 KiB at most; what is longer is nobody's address and not worth a look. */
const LONGEST_URI = 8 * 1024;

/**
 * Reads a resource of seed 002, with or without the `@task:` that editors put in front. Nothing in a URI becomes a
 * path: slugs are one folder name, delta files are looked up among those that the change has.
 * @throws RESOURCE_NOT_FOUND, INVALID_INPUT for a query that cannot be read
 */
export const readResource = async (project: Project, uri: string): Promise<Resource> => {
  if (uri.length > LONGEST_URI) throw notFound(uri);
  const [, scheme, rest] = /^(?:@[\w-]+:)?(changes?):\/\/(.+)$/u.exec(uri) ?? [];
  if (scheme === 'change' && rest !== undefined) {
    return { uri, mimeType: 'text/markdown', text: await documentOf(project, uri, rest) };
  }
  if (scheme === 'changes' && rest !== undefined) {
    return {
      uri,
      mimeType: 'application/json',
      text: JSON.stringify(await listingOf(project, uri, rest), null, 2),
    };
  }
  throw notFound(uri);
};

const documentOf = async (project: Project, uri: string, rest: string): Promise<string> => {
  const parts = rest.split('/').map((part) => decode(part));
  const [slug, kind] = parts;
  if (slug === undefined || kind === undefined || parts.includes(undefined)) throw notFound(uri);
  if (parts.length === 2 && (kind === 'proposal' || kind === 'tasks')) {
    const text = await orNotFound(uri, readDocument(project, slug, `${kind}.md`));
    if (text === undefined) throw notFound(uri);
    return text;
  }
  if (kind !== 'delta') throw notFound(uri);
  const files = await orNotFound(uri, loadChange(project, slug));
  const wanted = parts.slice(2).join('/');
  const [only, ...others] = files.deltas;
  const isAlias = others.length === 0 && (wanted === 'spec' || wanted === 'spec.md');
  const delta = isAlias ? only : files.deltas.find(({ capability }) => `${capability}/spec.md` === wanted);
  if (delta === undefined) throw notFound(uri);
  return delta.text;
};

/** What the change does not have is a resource that does not exist. */
const orNotFound = async <T>(uri: string, read: Promise<T>): Promise<T> => {
  try {
    return await read;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'INVALID_INPUT' || code === 'CHANGE_NOT_FOUND' || code === 'CHANGE_ALREADY_ARCHIVED') {
      throw notFound(uri, error);
    }
    throw error;
  }
};

const listingOf = async (project: Project, uri: string, rest: string): Promise<object> => {
  const [address = '', query = ''] = rest.split('?');
  if (address === 'active' || address === 'active/list') return listChanges(project, queryOf(query));
  const slug = address.startsWith('archived/') ? decode(address.slice('archived/'.length)) : undefined;
  const name = slug === undefined || slug === '' ? undefined : archivedAs(project, slug).at(-1);
  if (slug === undefined || name === undefined) throw notFound(uri);
  const receipt = readReceipt(project, name);
  return {
    slug,
    archivedAt: textIn(receipt, 'archivedAt') ?? /^\d{4}-\d{2}-\d{2}/u.exec(name)?.[0] ?? null,
    path: shownPath(project, path.join(archiveDir(project), name)),
    receipt: receipt ?? null,
    totals: totalsOf(receipt),
  };
};

/** `page` counts from 1 and stands for an offset. @throws INVALID_INPUT */
const queryOf = (query: string): Partial<ChangesActiveInput> => {
  const given = new Map(new URLSearchParams(query));
  const number = (key: string): number | undefined => (given.has(key) ? Number(given.get(key)) : undefined);
  const limit = number('limit');
  const page = number('page');
  if (page !== undefined && !(Number.isInteger(page) && page >= 1)) {
    throw new CloutError('INVALID_INPUT', 'page: must be a whole number from 1', { details: { field: 'page' } });
  }
  const offset = number('offset') ?? (page === undefined ? undefined : (page - 1) * (limit ?? 50));
  const text = {
    pageToken: given.get('pageToken'),
    status: given.get('status'),
    owner: given.get('owner'),
    template: given.get('template'),
  };
  const parsed = ChangesActiveInput.safeParse({ ...text, limit, offset });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CloutError('INVALID_INPUT', `${issue?.path.join('.') ?? 'query'}: ${issue?.message ?? 'cannot be read'}`);
};

/**
 * Resources of the active changes, newest change first, after the listing itself.
 * @returns `nextOffset` null at the end
 */
export const listResources = async (
  project: Project,
  { offset = 0, limit = 100 }: { offset?: number; limit?: number } = {},
): Promise<{ items: ListedResource[]; nextOffset: number | null }> => {
  const found: ListedResource[] = [{ uri: 'changes://active', name: 'Active changes', mimeType: 'application/json' }];
  for (const name of await activeNames(project)) {
    if (found.length > offset + limit) break;
    found.push(...(await resourcesOf(project, name)));
  }
  return {
    items: found.slice(offset, offset + limit),
    nextOffset: found.length > offset + limit ? offset + limit : null,
  };
};

const resourcesOf = async (project: Project, name: string): Promise<ListedResource[]> => {
  let files: ChangeFiles;
  try {
    files = await loadChange(project, name);
  } catch (error) {
    // Archived meanwhile, or unreadable: reading it tells why, the list goes on.
    if (codeOf(error) !== undefined) return [];
    throw error;
  }
  const base = `change://${encodeURIComponent(name)}`;
  const listed = (address: string, file: string): ListedResource => ({
    uri: `${base}/${address}`,
    name: `${name}/${file}`,
    mimeType: 'text/markdown',
  });
  return [
    ...(files.proposal === undefined ? [] : [listed('proposal', 'proposal.md')]),
    ...(files.tasks === undefined ? [] : [listed('tasks', 'tasks.md')]),
    ...files.deltas.map(({ capability, path: file }) =>
      listed(`delta/${capability.split('/').map(encodeURIComponent).join('/')}/spec.md`, file),
    ),
  ];
};

/** Once, and never again: what is encoded twice stays encoded and matches nothing. */
const decode = (text: string): string | undefined => {
  // Most parts hold no escape, and a crafted address thousands of parts.
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const textIn = (value: object | undefined, key: string): string | undefined => {
  const found: unknown = value === undefined ? undefined : new Map(Object.entries(value)).get(key);
  return typeof found === 'string' ? found : undefined;
};

/** Counted from the receipt, whoever wrote it; null where it names no specifications. */
const totalsOf = (receipt: object | undefined): object | null => {
  if (receipt === undefined || !('specs' in receipt) || !Array.isArray(receipt.specs)) return null;
  const specs: unknown[] = receipt.specs;
  const count = (key: string): number =>
    specs.reduce((sum: number, spec) => {
      const names: unknown = spec !== null && typeof spec === 'object' ? new Map(Object.entries(spec)).get(key) : [];
      return sum + (Array.isArray(names) ? names.length : 0);
    }, 0);
  return {
    specs: specs.length,
    added: count('added'),
    modified: count('modified'),
    removed: count('removed'),
    renamed: count('renamed'),
  };
};

const notFound = (uri: string, cause?: unknown): CloutError =>
  new CloutError('RESOURCE_NOT_FOUND', 'There is no such resource', {
    details: { uri: uri.slice(0, 300) },
    cause,
  });
