import type { ChangeDetail, ChangeSummary } from '@cloutagent/contract';
import { loadChange, toSummary, type ChangeFiles } from './change.ts';
import { errnoOf } from './disk/errno.ts';
import { overlapsOf } from './overlaps.ts';
import type { Project } from './project.ts';
import { parseTasks } from './tasks.ts';

/**
 * One open change with its documents, its tasks and what it shares with other open changes.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED
 */
export const readChange = async (project: Project, slug: string): Promise<ChangeDetail> => {
  // First, for it notes what the deltas start from; the documents are then as they are at the end.
  const overlaps = await overlapsOf(project, slug);
  const files = await loadChange(project, slug);
  const summary = summaryOf(project, files);
  // Archived in between: then reading it again tells so.
  if (summary === undefined) return readChange(project, slug);
  return {
    ...summary,
    proposal: files.proposal ?? '',
    taskList: parseTasks(files.tasks ?? ''),
    deltas: files.deltas.map(({ capability, path: file, text }) => ({ capability, path: file, text })),
    overlaps,
  };
};

const summaryOf = (project: Project, files: ChangeFiles): ChangeSummary | undefined => {
  try {
    return toSummary(project, files);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};
