import { CloutError } from '@cloutagent/contract';
import { hashOf, limitedLevels, nodeLimits } from '@cloutagent/engine';
import { newId } from '@cloutagent/kit';
import type { LaneDeps } from './deps.ts';
import { assertStartable } from './faults.ts';
import { draftRun, type PlanRequest } from './plan.ts';
import { taskKey } from './task.ts';

export interface StartRequest extends PlanRequest {
  /** Limit of the run; the plan's ceiling where absent. */
  readonly limitNanoUsd?: number | undefined;
  /** Name of who asks. */
  readonly startedBy?: string | undefined;
}

/**
 * Writes a run of a change's open tasks, without driving it, and gives its id.
 * Errors: those of `planChange`, NOTHING_TO_RUN, CHANGE_LOCKED, CHANGE_INVALID, NOT_TRUSTED, RUN_EXISTS.
 */
export const startRun = async (deps: LaneDeps, request: StartRequest): Promise<string> => {
  const { document, plan, faults } = await draftRun(deps, request);
  if (document.tasks.length === 0) {
    throw new CloutError('NOTHING_TO_RUN', `Every task of ${request.slug} is done`);
  }
  await assertStartable(deps, document, faults);
  const { projectId } = deps;
  const { simulated, startedBy } = request;
  const id = newId('run', deps.clock);
  const limitNanoUsd = request.limitNanoUsd ?? plan.ceiling.nanoUsd;
  const spender = { id, projectId, simulated };
  const run = {
    ...spender,
    ...(startedBy === undefined ? {} : { startedBy }),
    document,
    documentHash: hashOf(document),
    limitNanoUsd,
  };
  const quoted = new Map(plan.tasks.map((task) => [taskKey(task.id), task.ceiling.nanoUsd]));
  const nodes = nodeLimits(quoted, plan.ceiling.nanoUsd, limitNanoUsd);
  await deps.journal.start(run, limitedLevels({ ...spender, slug: document.slug, startedBy }, limitNanoUsd, nodes));
  return id;
};
