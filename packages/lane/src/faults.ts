import { CloutError, codeOf, type RunDocument, type Task } from '@cloutagent/contract';
import { assertHolds, findTask } from '@cloutagent/openspec';
import type { LaneDeps } from './deps.ts';

/** What keeps a task from ever being ticked, seen before anything is spent. */
export interface TaskFault {
  readonly taskId: string;
  readonly title: string;
  /** The check bullet that cannot be read; absent where the fault is not in a check. */
  readonly check?: string;
  /** As a sentence. */
  readonly message: string;
}

type DocumentTask = RunDocument['tasks'][number];

/** Faults in the open tasks of a document; `all` are the tasks of the file, done ones too. */
export const taskFaults = (document: RunDocument, all: readonly Task[]): readonly TaskFault[] =>
  document.tasks.flatMap((task) => faultsOf(task, all));

const faultsOf = (task: DocumentTask, all: readonly Task[]): readonly TaskFault[] => {
  const { id: taskId, title } = task;
  const unreadable = task.unreadableChecks.map((check) => ({
    taskId,
    title,
    check,
    message: `Task ${taskId} has a check that cannot be read, so it is never ticked: ${check}`,
  }));
  if (title.trim() === '') {
    return [...unreadable, { taskId, title, message: `Task ${taskId} has no title, so it asks for nothing` }];
  }
  if (findTask(all, task) !== undefined) return unreadable;
  const message = `Task ${taskId} has no number and says the same as another, so it cannot be told from it; number them`;
  return [...unreadable, { taskId, title, message }];
};

/** Tasks whose checks run commands. */
export const commandTasks = (document: RunDocument): readonly DocumentTask[] =>
  document.tasks.filter((task) => task.checks.some((check) => check.kind === 'run'));

/** Who else holds the change, as a sentence; undefined where nobody does. */
export const lockOf = async ({ project }: Pick<LaneDeps, 'project'>, slug: string): Promise<string | undefined> => {
  try {
    await assertHolds(project, slug);
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'CHANGE_LOCKED' && error instanceof Error) return error.message;
    throw error;
  }
};

/**
 * Refuses a run that could not finish as things are.
 * Errors: CHANGE_LOCKED, CHANGE_INVALID with `tasks` in `details`, NOT_TRUSTED.
 */
export const assertStartable = async (
  deps: Pick<LaneDeps, 'project' | 'trusted'>,
  document: RunDocument,
  faults: readonly TaskFault[],
): Promise<void> => {
  const { slug } = document;
  await assertHolds(deps.project, slug);
  if (faults.length > 0) {
    throw new CloutError('CHANGE_INVALID', faults.map(({ message }) => message).join('. '), {
      hint: `Mend openspec/changes/${slug}/tasks.md, then: clout run ${slug}`,
      details: { slug, tasks: faults },
    });
  }
  const commands = commandTasks(document).map(({ id }) => id);
  if (deps.trusted || commands.length === 0) return;
  throw new CloutError(
    'NOT_TRUSTED',
    `Checks of the tasks ${commands.join(', ')} run commands, which this folder is not trusted to do`,
    { details: { slug, taskIds: commands } },
  );
};
