import { archivedAs } from './archived.ts';
import { loadChange } from './change.ts';
import { assertFree } from './lease.ts';
import type { Project } from './project.ts';

/** @throws CHANGE_LOCKED while somebody else's lease lasts, CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED */
export const assertHolds = async (project: Project, slug: string): Promise<void> => {
  assertFree(project, slug, (await loadChange(project, slug)).meta);
};

/**
 * Tells a change from a later one of the same slug: when it was opened, and the last archive under that slug. The birth
 * of its folder would not do, since not every file system knows it.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED
 */
export const changeIdentity = async (project: Project, slug: string): Promise<string> => {
  const { meta } = await loadChange(project, slug);
  const archived = archivedAs(project, slug);
  return `opened ${meta.opened ?? 'by hand'}, after ${archived.at(-1) ?? 'none'}`;
};
