import { projectLevel } from '@cloutagent/engine';
import type { Store } from '@cloutagent/store';

/** Name under which the file's limit is recorded. */
const BY = 'config.yaml';

/**
 * Applies the project's limit of `config.yaml` where it says another than it said last: between two changes of the file the
 * limit belongs to whoever raises it by API or command line. Simulated money is free, so the project only records it.
 */
export const applyConfiguredLimit = async (
  store: Store,
  projectId: string,
  limitNanoUsd: number | null,
): Promise<void> => {
  const level = projectLevel(projectId, false);
  await store.ensureBudget(projectLevel(projectId, true), null);
  const last = (await store.limitChanges({ ...level, period: 'lifetime', by: BY })).at(0);
  if (last !== undefined && (last.after?.nanoUsd ?? null) === limitNanoUsd) return;
  await store.setLimit({ level, period: 'lifetime', limitNanoUsd, by: BY });
};
