import type { ChangeDetail } from '@cloutagent/contract';

/** Changes whenever something does that the price of a change depends on. */
export const planVersion = (change: ChangeDetail): string =>
  JSON.stringify([
    change.updatedAt,
    change.proposal.length,
    change.taskList.map((task) => [task.id, task.title, task.done, task.notes, task.checks]),
  ]);
