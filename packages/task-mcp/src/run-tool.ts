import { isAbsolute, relative, resolve, sep } from 'node:path';
import { allows, CloutError, codeOf, TOOLS, type ChangeSummary, type Page, type Principal } from '@cloutagent/contract';
import { newId, toIso, type Clock } from '@cloutagent/kit';
import type { Asked, Changes } from './changes.ts';
import type { ToolCall } from './input.ts';
import { keptBeside } from './kept-json.ts';

/** A resource that an answer points to, by its plain URI. */
export interface Link {
  readonly uri: string;
  readonly mimeType: string;
  readonly name: string;
}

/** What a tool did, before a protocol gives it its form. */
export interface Outcome {
  readonly tool: ToolCall['tool'];
  readonly text: string;
  readonly links: readonly Link[];
  readonly page: Page<ChangeSummary> | undefined;
  /** Seed 002: id, timestamp, operation and what the operation adds. */
  readonly receipt: Readonly<Record<string, unknown>>;
}

export interface ToolDeps {
  readonly changes: Changes;
  readonly clock: Clock;
}

/** Who calls, and whether the caller sees this machine's file system. */
export interface Caller extends Asked {
  readonly principal: Principal;
  readonly local: boolean;
}

type CallOf<T extends ToolCall['tool']> = Extract<ToolCall, { tool: T }>['input'];

const MARKDOWN = 'text/markdown';

/** `specs/auth/spec.md` → link; while there is one capability its short name `delta/spec.md` is used, as in the seed. */
const linkOf = (slug: string, file: string, deltas: number): Link => {
  if (!file.startsWith('specs/')) {
    return { uri: `change://${slug}/${file.replace(/\.md$/u, '')}`, mimeType: MARKDOWN, name: file };
  }
  const path = file.slice('specs/'.length);
  const short = deltas === 1 ? 'spec.md' : path;
  return { uri: `change://${slug}/delta/${short}`, mimeType: MARKDOWN, name: short };
};

/**
 * What the changes answer comes from files and, for archives, from another room. Looked at only as deep as the forms
 * rely on it: a page of 150 rows is not walked again.
 */
const requireShape = (tool: ToolCall['tool'], isWhole: boolean): void => {
  if (!isWhole) throw invalidResult(tool);
};

/** Seed 002: the tool did something, and what it tells of it cannot be told on. */
export const invalidResult = (tool: ToolCall['tool'], cause?: unknown): CloutError =>
  new CloutError('INVALID_TOOL_RESULT', `Tool '${tool}' returned an invalid result`, { cause });

const open = async ({ changes }: ToolDeps, input: CallOf<'change.open'>, caller: Caller) => {
  const { change, resumed, files } = await changes.open(input, caller.principal, caller);
  requireShape('change.open', typeof change.slug === 'string' && Array.isArray(files));
  const deltas = files.filter((file) => file.startsWith('specs/')).length;
  const withTemplate = change.template === undefined ? '' : ` with ${change.template} template`;
  return {
    text: resumed
      ? `Change '${change.slug}' is open already and its lease was renewed`
      : `Change '${change.slug}' created successfully${withTemplate}`,
    links: files.map((file) => linkOf(change.slug, file, deltas)),
    page: undefined,
    receipt: resumed ? { slug: change.slug, resumed } : { slug: change.slug },
  };
};

/** Id of the receipt that lies beside the archived change, so that both names mean the same thing. */
const storedReceiptId = async (changes: Changes, uri: string): Promise<string | undefined> => {
  try {
    const summary = JSON.parse((await changes.read(uri)).text) as { receipt?: { id?: unknown } | null };
    return typeof summary.receipt?.id === 'string' ? summary.receipt.id : undefined;
  } catch {
    // The archive is done; an answer without this id is better than an error.
    return undefined;
  }
};

const archive = async ({ changes }: ToolDeps, input: CallOf<'change.archive'>, caller: Caller) => {
  const { slug, allowIncomplete, union } = input;
  const options = {
    ...(allowIncomplete === undefined ? {} : { allowIncomplete }),
    ...(union === undefined ? {} : { union }),
  };
  const result = await changes.archive(slug, options, caller.principal, caller);
  requireShape('change.archive', typeof result.slug === 'string' && Array.isArray(result.warnings));
  const uri = `changes://archived/${result.slug}`;
  const id = await storedReceiptId(changes, uri);
  const warnings = result.warnings.length === 0 ? '' : ` (${result.warnings.join('; ')})`;
  return {
    text: `Change '${result.slug}' archived successfully${warnings}`,
    links: [{ uri, mimeType: 'application/json', name: 'archive_summary.json' }],
    page: undefined,
    receipt: {
      ...(id === undefined ? {} : { id }),
      slug: result.slug,
      previousStatus: 'draft',
      newStatus: 'archived',
      path: result.receiptPath,
    },
  };
};

/** The change with paths as a caller can use them: absolute on this machine, relative to the project elsewhere. */
const withShownPaths = (root: string, item: ChangeSummary, local: boolean): ChangeSummary => {
  const { paths } = item;
  // Most are absolute already, and a page has 150 of them.
  if (local && isAbsolute(paths.root) && isAbsolute(paths.proposal) && isAbsolute(paths.tasks)) return item;
  const shown = (path: string): string => {
    if (local) return resolve(root, path);
    return isAbsolute(path) ? relative(root, path).replaceAll(sep, '/') : path;
  };
  return { ...item, paths: { root: shown(paths.root), proposal: shown(paths.proposal), tasks: shown(paths.tasks) } };
};

/** A page for callers on this machine, or for others, made once for each page and project. */
const shownPages = (local: boolean) =>
  keptBeside((page: Page<ChangeSummary>) =>
    keptBeside(({ root }: Changes): Page<ChangeSummary> => {
      const items = page.items.map((item) => withShownPaths(root, item, local));
      return items.every((item, index) => item === page.items[index]) ? page : { ...page, items };
    }),
  );
const shownHere = shownPages(true);
const shownElsewhere = shownPages(false);

const active = async ({ changes }: ToolDeps, input: CallOf<'changes.active'>, { local }: Caller) => {
  const found = await changes.list(input);
  requireShape('changes.active', Array.isArray(found.items) && Number.isInteger(found.total) && found.pageSize > 0);
  const page = (local ? shownHere : shownElsewhere)(found)(changes);
  const kind = [input.status === 'all' ? '' : 'active', input.template ?? ''].filter((word) => word !== '').join(' ');
  const noun = `${kind === '' ? '' : `${kind} `}${page.total === 1 ? 'change' : 'changes'}`;
  const pages = Math.max(1, Math.ceil(page.total / page.pageSize));
  return {
    text: `Found ${page.total} ${noun} (showing page ${page.page} of ${pages})`,
    links: [{ uri: 'changes://active/list', mimeType: 'application/json', name: 'changes' }],
    page,
    receipt: { filters: Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) },
  };
};

const perform = (deps: ToolDeps, call: ToolCall, caller: Caller): Promise<Omit<Outcome, 'tool'>> => {
  if (call.tool === 'change.open') return open(deps, call.input, caller);
  if (call.tool === 'change.archive') return archive(deps, call.input, caller);
  return active(deps, call.input, caller);
};

/**
 * Runs one tool. Errors: FORBIDDEN for a scope that is too narrow, those of the changes, INVALID_TOOL_RESULT where they
 * answer what no form can tell, and TOOL_EXECUTION_ERROR for anything that is not of the error table.
 */
export const runTool = async (deps: ToolDeps, call: ToolCall, caller: Caller): Promise<Outcome> => {
  const { scope } = TOOLS[call.tool];
  if (!allows(caller.principal, scope)) {
    throw new CloutError('FORBIDDEN', `Tool '${call.tool}' needs the scope ${scope}`, { details: { scope } });
  }
  try {
    const { text, links, page, receipt } = await perform(deps, call, caller);
    const base = { id: newId('rcp', deps.clock), timestamp: toIso(deps.clock.now()), operation: call.tool };
    // A spread with members behind it gets a hidden class of its own at every call, which lives in the old generation.
    return { tool: call.tool, text, links, page, receipt: Object.assign(base, receipt) };
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    throw new CloutError('TOOL_EXECUTION_ERROR', `Tool '${call.tool}' failed`, { cause: error });
  }
};
