import type { ChangeSummary } from '@cloutagent/contract';
import { realOf } from '../disk/read.ts';
import type { Project } from '../project.ts';
import { newestFirst, type Listed, type Listing, type Spot } from './listing.ts';
import { sliced } from './slice.ts';
import { readListed, readRow } from './row.ts';
import { activeEntries, activeSpot, archivedEntries, archivedSpot } from './spots.ts';

/** Reads the files at every call and keeps nothing: for commands that live as long as one answer. */
export const directListing = (project: Project): Listing => ({
  mode: 'direct',
  sorted: async (withArchived) => {
    const boundary = boundaryOf(project);
    if (boundary === undefined) return [];
    const slice = sliced(() => project.clock.monotonic());
    const found: Listed[] = [];
    for (const spot of spotsOf(project, boundary, withArchived)) {
      const listed = readListed(boundary, spot);
      if (listed !== undefined) found.push(listed);
      if (slice.isOver()) await slice.pause();
    }
    return found.sort(newestFirst);
  },
  summaries: async (listed) => {
    const boundary = boundaryOf(project);
    if (boundary === undefined) return [];
    const slice = sliced(() => project.clock.monotonic());
    const summaries: ChangeSummary[] = [];
    for (const { name, key, folder, status } of listed) {
      const row = readRow(boundary, { name, key, folder, status });
      if (row !== undefined) summaries.push(row.summary);
      if (slice.isOver()) await slice.pause();
    }
    return summaries;
  },
});

/** Where the openspec folder really is; undefined where there is none yet. */
export const boundaryOf = (project: Project): string | undefined => realOf(project.openspecDir);

function* spotsOf(project: Project, boundary: string, withArchived: boolean): Generator<Spot> {
  for (const entry of activeEntries(project)) {
    const spot = activeSpot(project, entry);
    if (spot !== undefined) yield spot;
  }
  for (const entry of withArchived ? archivedEntries(project) : []) {
    const spot = archivedSpot(project, boundary, entry);
    if (spot !== undefined) yield spot;
  }
}
