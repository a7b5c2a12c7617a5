import { CloutError, type RunDocument, type Task } from '@cloutagent/contract';
import { changeIdentity, editedTask, findTask, readChange } from '@cloutagent/openspec';
import type { LaneDeps } from './deps.ts';
import { taskPrompt } from './prompt.ts';

/**
 * The tasks as they are now, of the very change that the run began with.
 * Errors: CHANGE_CONFLICT where another change has its slug, CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED.
 */
export const tasksNow = async (
  { project }: Pick<LaneDeps, 'project'>,
  { slug, identity }: RunDocument,
): Promise<readonly Task[]> => {
  const { taskList } = await readChange(project, slug);
  if (identity !== undefined && identity !== (await changeIdentity(project, slug))) {
    throw new CloutError(
      'CHANGE_CONFLICT',
      `The change ${slug} is another one than this run began with; start a new run: clout run ${slug}`,
      { hint: `clout run ${slug} starts a run of the change as it is now`, details: { slug } },
    );
  }
  return taskList;
};

/** Throws CHANGE_CONFLICT where the task is gone or does not ask for the same any more, before it costs anything. */
export const assertUnchanged = (tasks: readonly Task[], slug: string, task: RunDocument['tasks'][number]): void => {
  const now = findTask(tasks, task);
  if (now === undefined || taskPrompt({ ...now, id: task.id }) !== task.prompt) throw editedTask(slug, task.id);
};
