import type { ChangeSummary } from '@cloutagent/contract';
import { realOf } from '../disk/read.ts';
import { archiveDir, changesDir, type Project } from '../project.ts';
import { hasSchemas } from '../tracks.ts';
import { directListing } from './direct.ts';
import { newestFirst, type Listed, type Listing } from './listing.ts';
import { nextTurn } from './slice.ts';
import type { Row } from './row.ts';
import { Shelf } from './shelf.ts';
import { activeEntries, activeSpot, archivedEntries, archivedSpot } from './spots.ts';
import { openWatches } from './watches.ts';

/** A project whose listing is kept in memory. Whoever keeps it closes it, which ends the watches. */
export interface KeptProject extends Project, AsyncDisposable {
  readonly listing: Listing;
}

/**
 * The same project with an index of its changes in memory, for a process that answers many times: as true to the files
 * as reading them, also after edits by hand and by other processes. `listing.mode` says how. Nothing is read before
 * the first listing. After its end the files are read at every call.
 */
export const keepListing = (project: Project, bounds: ListingBounds = {}): KeptProject => {
  const kept = new KeptListing(project, bounds);
  return { ...project, listing: kept, [Symbol.asyncDispose]: async () => kept.close() };
};

/** Smaller bounds than the usual ones, for a small machine. */
export interface ListingBounds {
  /** Folders that are watched; beyond them `mode` is `sweep`. */
  readonly maxWatches?: number;
  /** Changes that are remembered; beyond them `mode` is `direct`. */
  readonly maxRows?: number;
}

class KeptListing implements Listing {
  readonly #project: Project;
  readonly #direct: Listing;
  readonly #watches;
  readonly #active: Shelf;
  readonly #archived: Shelf;
  /** Archives are read when somebody asks for them. */
  #hasArchived = false;
  #boundary: string | undefined;
  #isDirect = false;
  #isClosed = false;
  #refreshing: Promise<void> = Promise.resolve();
  #both: { active: readonly Row[]; archived: readonly Row[]; sorted: readonly Row[] } | undefined;

  constructor(project: Project, { maxWatches, maxRows }: ListingBounds) {
    this.#project = project;
    this.#direct = directListing(project);
    this.#watches = openWatches(maxWatches);
    const boundary = (): string => this.#boundary ?? project.openspecDir;
    this.#active = new Shelf(
      {
        folder: changesDir(project),
        boundary,
        entries: () => activeEntries(project),
        spotOf: (entry) => activeSpot(project, entry),
      },
      this.#watches,
      project.clock,
      maxRows,
    );
    this.#archived = new Shelf(
      {
        folder: archiveDir(project),
        boundary,
        entries: () => archivedEntries(project),
        spotOf: (entry) => archivedSpot(project, boundary(), entry),
      },
      this.#watches,
      project.clock,
      maxRows,
    );
  }

  get mode(): Listing['mode'] {
    if (this.#isDirect || this.#isClosed) return 'direct';
    return this.#active.isWatched && (!this.#hasArchived || this.#archived.isWatched) ? 'watch' : 'sweep';
  }

  async sorted(withArchived: boolean): Promise<readonly Listed[]> {
    // A first turn may be in the middle of its events already; after a second one, every edit made before is known.
    await nextTurn();
    await nextTurn();
    this.#refreshing = this.#refreshing.then(
      () => this.#refresh(withArchived),
      () => this.#refresh(withArchived),
    );
    await this.#refreshing;
    if (this.#isDirect || this.#isClosed) return this.#direct.sorted(withArchived);
    return withArchived ? this.#merged() : this.#active.rows();
  }

  async summaries(listed: readonly Listed[]): Promise<ChangeSummary[]> {
    // Schemas of the project say where tasks are, and lie outside of what is watched.
    const isElsewhere = this.#boundary !== undefined && hasSchemas(this.#boundary);
    if (this.#isDirect || this.#isClosed || isElsewhere) return this.#direct.summaries(listed);
    const summaries: ChangeSummary[] = [];
    for (const { key, status } of listed) {
      const row = status === 'archived' ? this.#archived.fresh(key.slice('archive/'.length)) : this.#active.fresh(key);
      // A copy: what callers do with it must not change the index.
      if (row !== undefined) {
        const { tasks, paths } = row.summary;
        summaries.push({ ...row.summary, tasks: { ...tasks }, paths: { ...paths } });
      }
    }
    return summaries;
  }

  close(): void {
    this.#isClosed = true;
    this.#active.close();
    this.#archived.close();
    this.#both = undefined;
  }

  async #refresh(withArchived: boolean): Promise<void> {
    if (this.#isClosed) return;
    const boundary = realOf(this.#project.openspecDir);
    if (boundary !== this.#boundary) {
      this.#active.close();
      this.#archived.close();
      this.#boundary = boundary;
    }
    this.#hasArchived ||= withArchived;
    const isKept = await this.#active.refresh();
    this.#isDirect = !isKept || (this.#hasArchived && !(await this.#archived.refresh()));
  }

  #merged(): readonly Row[] {
    const active = this.#active.rows();
    const archived = this.#archived.rows();
    if (this.#both?.active !== active || this.#both.archived !== archived) {
      this.#both = { active, archived, sorted: [...active, ...archived].sort(newestFirst) };
    }
    return this.#both.sorted;
  }
}
