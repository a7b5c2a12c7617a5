import { boundaryOf } from './direct.ts';
import type { Project } from '../project.ts';
import { hasSchemas } from '../tracks.ts';

/**
 * An object that stays the same as long as every page of the listing does, so that what was made of a page need not be
 * made again. Undefined where nobody can promise that: without an index in memory, where some folder cannot be
 * watched, or where schemas of the project count tasks in files outside of what is watched.
 */
export const listingVersion = async (project: Project, withArchived: boolean): Promise<object | undefined> => {
  const { listing } = project;
  if (listing === undefined) return undefined;
  const rows = await listing.sorted(withArchived);
  const boundary = boundaryOf(project);
  return listing.mode === 'watch' && boundary !== undefined && !hasSchemas(boundary) ? rows : undefined;
};
