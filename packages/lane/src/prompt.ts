import type { Check, CheckResult, Task } from '@cloutagent/contract';

/** What every conversation of a run begins with. Facts that change come as later messages. */
export const systemPrompt = (options: {
  readonly root: string;
  readonly slug: string;
  readonly title: string;
}): string =>
  `You do the tasks of a change to a software project, one at a time, with tools for the files of its folder.

Project folder: ${options.root}
Change: ${options.title}. Its proposal, tasks and specification are in openspec/changes/${options.slug}/.

- Do the task you are given and nothing beyond it. Use absolute paths inside the project folder.
- Look at what is there before you write, and keep its style.
- Leave tasks.md alone: a task is ticked for you when what it asks for holds.
- When you are done, say in a sentence or two what you did, or what keeps you from it.
`;

/** A check in words, as a model and a person read it. */
export const checkText = (check: Check): string => {
  switch (check.kind) {
    case 'file-exists':
      return `file ${check.path} exists`;
    case 'file-contains':
      return `file ${check.path} contains ${JSON.stringify(check.text)}`;
    case 'run':
      return `command exits 0: ${check.command}`;
  }
};

const lines = (text: string): string => text.replaceAll('\n', '\n  ');

/** First message of a task's conversation. */
export const taskPrompt = (task: Pick<Task, 'id' | 'title' | 'notes' | 'checks'>): string =>
  [
    `Task ${task.id}: ${task.title}`,
    ...task.notes,
    ...(task.checks.length === 0 ? [] : ['', 'Done means:', ...task.checks.map((check) => `- ${checkText(check)}`)]),
  ].join('\n');

/** Message after checks that failed: the same bullets, each with what was found instead. */
export const retryPrompt = (failed: readonly CheckResult[]): string =>
  [
    'These checks do not hold yet:',
    ...failed.map(({ check, detail }) => `- ${checkText(check)}: ${lines(detail)}`),
  ].join('\n');
