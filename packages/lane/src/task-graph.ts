import { CloutError, type RunDocument, type StepRow, type TaskOutcome } from '@cloutagent/contract';
import { driveBelow, hashOf, type Drive, type TaskGraph } from '@cloutagent/engine';
import type { LaneDeps } from './deps.ts';
import { openWork } from './drive.ts';
import { assertStartable } from './faults.ts';
import { draftRun } from './plan.ts';
import { taskKey, workTask } from './task.ts';
import { assertUnchanged, tasksNow } from './unchanged.ts';

/**
 * The open tasks of a change as one node of a workflow: pinned when the node is reached, worked on one after another,
 * checked and ticked as in a run of the change. Gives what was done, a line a task.
 * Errors: those of `startRun` and of its tasks; TASK_FAILED and its like for a task that stays open.
 */
export const taskGraphOf =
  (deps: () => Promise<LaneDeps>): TaskGraph =>
  async ({ drive: outer, place, change }) => {
    const lane = await deps();
    const drive = driveBelow(outer, place);
    const document = await pin(lane, drive, change);
    const work = await openWork(lane, drive, document);
    const lines: string[] = [];
    for (const task of document.tasks) {
      const done = drive.finished(taskKey(task.id), hashOf(task));
      // Written by workTask.
      let outcome = done?.output as TaskOutcome | undefined;
      if (outcome === undefined) {
        assertUnchanged(await tasksNow(lane, document), document.slug, task);
        const end = await workTask(work, task);
        await drive.commit({ steps: end.steps, events: end.events });
        ({ outcome } = end);
      }
      if (!outcome.ticked) throw new CloutError('TASK_FAILED', `Task ${task.id} stays open: ${outcome.note}`);
      lines.push(`${task.id} ${task.title}: ${outcome.note}`);
    }
    return lines.join('\n');
  };

const KEY = 'tasks';

/** What is worked on does not change while the node is, also over a crash. */
const pin = async (deps: LaneDeps, drive: Drive, change: string): Promise<RunDocument> => {
  const inputHash = hashOf({ change });
  const done = drive.finished(KEY, inputHash);
  // Written below.
  if (done !== undefined) return done.output as RunDocument;
  const { document, faults } = await draftRun(deps, { slug: change, simulated: drive.claim.run.simulated });
  await assertStartable(deps, document, faults);
  const startedAt = drive.clock.now();
  const row: StepRow = {
    key: KEY,
    kind: 'plan',
    name: change,
    inputHash,
    input: { change },
    output: document,
    isError: false,
    usage: null,
    costNanoUsd: 0,
    startedAt,
    endedAt: startedAt,
  };
  await drive.commit({ steps: [row] });
  return document;
};
