import type { ChangeDetail, Config, RunDocument, Task } from '@cloutagent/contract';
import { systemPrompt, taskPrompt } from './prompt.ts';

const openTasks = (change: ChangeDetail): readonly Task[] => change.taskList.filter((task) => !task.done);

/** The open tasks of a change and the limits they run under. What is not in it cannot change a run that has begun. */
export const toDocument = (
  change: ChangeDetail,
  options: { readonly root: string; readonly model: string; readonly config: Config['run']; readonly identity: string },
): RunDocument => {
  const { slug, title } = change;
  const { maxIterations, maxAttempts, maxTokens } = options.config;
  return {
    format: 1,
    kind: 'change',
    slug,
    title,
    identity: options.identity,
    model: options.model,
    maxIterations,
    maxAttempts,
    maxTokens,
    system: systemPrompt({ root: options.root, slug, title }),
    tasks: openTasks(change).map((task) => ({
      id: task.id,
      title: task.title,
      prompt: taskPrompt(task),
      checks: task.checks,
      unreadableChecks: task.unreadableChecks,
    })),
  };
};
