import type {
  ArchiveResult,
  ChangeOpenInput,
  ChangesActiveInput,
  ChangeSummary,
  Page,
  Principal,
} from '@cloutagent/contract';
import {
  archiveChange,
  listChanges,
  listResources,
  openChange,
  readResource,
  withCaller,
  type Caller,
  type ListedResource,
  type Project,
  type Resource,
} from '@cloutagent/openspec';
import { openUnchanged } from './unchanged.ts';
import { watchFolder, type WatchChanges } from './watch.ts';

/**
 * What the tools and resources need of the changes on disk. Work for which nobody waits any more does not begin; what
 * has begun to write is short, all or nothing, and comes to its end.
 */
export interface Changes {
  readonly root: string;
  readonly openspecDir: string;
  open(
    input: ChangeOpenInput,
    by: Principal,
    asked?: Asked,
  ): Promise<{ readonly change: ChangeSummary; readonly resumed: boolean; readonly files: readonly string[] }>;
  archive(slug: string, options: ArchiveOptions, by: Principal, asked?: Asked): Promise<ArchiveResult>;
  list(query: Partial<ChangesActiveInput>): Promise<Page<ChangeSummary>>;
  /** Resources of the active changes from `offset` on; `nextOffset` is null at the end. */
  resources(offset: number): Promise<{ readonly items: readonly ListedResource[]; readonly nextOffset: number | null }>;
  read(uri: string): Promise<{ readonly uri: string; readonly mimeType: string; readonly text: string }>;
  /** Calls back when files of changes change, until the function that it returns is called. */
  readonly watch: WatchChanges;
}

/** Whether somebody waits for the work. A signal costs more than most work; who only looks once asks without it. */
export interface Asked {
  readonly signal?: AbortSignal;
  /** Throws the reason where nobody waits any more. */
  readonly throwIfAborted?: () => void;
}

const refuseLate = (asked: Asked | undefined): void => {
  if (asked?.throwIfAborted === undefined) asked?.signal?.throwIfAborted();
  else asked.throwIfAborted();
};

export interface ArchiveOptions {
  readonly allowIncomplete?: boolean;
  /** Keeps the scenarios of both sides where each only added some. */
  readonly union?: boolean;
}

/**
 * Replaces the plain archive, so that a process with a run ledger can write its receipt. `project` is in the hands of
 * the caller, whose leases count and whose name the receipt bears.
 */
export type Archive = (slug: string, options: ArchiveOptions & { readonly project: Project }) => Promise<ArchiveResult>;

/** A page of 200 changes and its texts have 200 KB. */
const MAX_PAGES = 16;
/** A document has 1 MiB at most and 10 KB as a rule. */
const MAX_DOCUMENTS = 64;
/** Proposal, tasks and deltas of active changes: what lies in their folders. */
const DOCUMENT = /^(?:@[\w-]+:)?change:/u;

/**
 * The changes of a project. A caller whom a token proved acts under its own name. One without a token is on this
 * machine and acts as the user who runs the process; that identity marks its leases as a token would, so that who
 * opened a change for an owner can archive it without naming the owner again.
 */
export const changesOf = (project: Project, archive?: Archive): Changes => {
  const local: Caller = { caller: project.caller, tokenId: project.tokenId ?? `user:${project.caller}` };
  const inHandsOf = ({ name, tokenId }: Principal): Project =>
    withCaller(project, tokenId === undefined ? local : { caller: name, tokenId });
  const pages = openUnchanged<Page<ChangeSummary>>(project, MAX_PAGES);
  const documents = openUnchanged<Resource>(project, MAX_DOCUMENTS);
  const { watch, poke } = watchFolder(project.openspecDir, project.clock);
  return {
    root: project.root,
    openspecDir: project.openspecDir,
    async open(input, by, asked) {
      refuseLate(asked);
      const opened = await openChange(inHandsOf(by), input);
      // The first change makes the folder that is watched.
      poke(input.slug);
      return opened;
    },
    async archive(slug, options, by, asked) {
      refuseLate(asked);
      const mine = inHandsOf(by);
      const archived = await (archive === undefined
        ? archiveChange(mine, { slug, ...options })
        : archive(slug, { project: mine, ...options }));
      poke(slug);
      return archived;
    },
    list: (query) => pages(query.status === 'all', JSON.stringify(query), () => listChanges(project, query)),
    resources: (offset) => listResources(project, { offset }),
    read(uri) {
      const read = (): Promise<Resource> => readResource(project, uri);
      // Whoever only reads must not wait for an index of all changes, nor for the files that it does not watch.
      const isWatched = project.listing?.mode === 'watch' && DOCUMENT.test(uri);
      return isWatched ? documents(false, uri, read) : read();
    },
    watch,
  };
};
