import type { Run } from '@cloutagent/contract';
import { plainUsd } from '../ui/shares.ts';

export interface ResumeNeeds {
  /** The run waits for money of its own limit. */
  readonly budget: boolean;
  /** The run waits for money that the project's budget does not have; the run's limit cannot help. */
  readonly projectBudget: boolean;
  /** A tool call's effect is unknown after a crash. */
  readonly decision: boolean;
  /** Limit to offer, as a budget field takes it; empty where none is needed. */
  readonly suggestedUsd: string;
}

const numberOf = (details: Readonly<Record<string, unknown>> | undefined, name: string): number => {
  const value = details?.[name];
  return typeof value === 'number' ? value : 0;
};

/** What has to be decided before a run can go on; `ceilingNanoUsd` is the price tag's ceiling of the tasks that are left. */
export const resumeNeeds = (run: Run, ceilingNanoUsd = 0): ResumeNeeds => {
  const { reason } = run;
  const short = run.status === 'paused' && reason?.code === 'BUDGET_EXHAUSTED';
  const projectBudget = short && reason.details?.['scope'] === 'project';
  const budget = short && !projectBudget;
  const limit = run.money.limit?.nanoUsd ?? 0;
  const needed =
    numberOf(reason?.details, 'spentNanoUsd') +
    numberOf(reason?.details, 'heldNanoUsd') +
    numberOf(reason?.details, 'neededNanoUsd');
  // The ceiling of what is left is what a new run would get; the next call alone must fit in any case.
  return {
    budget,
    projectBudget,
    decision: run.status === 'paused' && reason?.code === 'EFFECT_UNKNOWN',
    suggestedUsd: budget
      ? plainUsd(Math.max(ceilingNanoUsd > 0 ? run.money.spent.nanoUsd + ceilingNanoUsd : limit * 2, needed))
      : '',
  };
};
