import { CloutError, parseUsd } from '@cloutagent/contract';
import { hashOf } from '@cloutagent/engine';
import { newId } from '@cloutagent/kit';
import { levelsOf, type LaneDeps } from './deps.ts';
import { assertStartable } from './faults.ts';
import { draftRun, type PlanRequest } from './plan.ts';

export interface StartRequest extends PlanRequest {
  /** Limit of the run; the plan's ceiling where absent. */
  readonly limitNanoUsd?: number | undefined;
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
  const { projectId, config } = deps;
  const { simulated } = request;
  const id = newId('run', deps.clock);
  const limitNanoUsd = request.limitNanoUsd ?? plan.ceiling.nanoUsd;
  const run = { id, projectId, document, documentHash: hashOf(document), simulated, limitNanoUsd };
  // Simulated money is free, so the project only records it.
  const projectLimit = simulated || config.budget.project === null ? null : (parseUsd(config.budget.project) ?? 0);
  const levels = levelsOf(run).map((level) => ({
    ...level,
    limitNanoUsd: level.scope === 'run' ? limitNanoUsd : projectLimit,
  }));
  await deps.journal.start(run, levels);
  return id;
};
