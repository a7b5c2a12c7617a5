import { showUsd, type ChangeDetail, type Plan, type Run, type Validation } from '@cloutagent/contract';

export type StationState = 'done' | 'now' | 'attention' | 'next' | 'todo';

/** One station of the way of a change, with what is known about it in a few words. */
export interface Station {
  readonly id: 'open' | 'plan' | 'run' | 'validate' | 'archive';
  readonly label: string;
  readonly state: StationState;
  readonly note: string;
}

interface LaneInput {
  readonly change: ChangeDetail;
  readonly plan: Plan | undefined;
  readonly lastRun: Run | undefined;
  readonly validation: Validation | undefined;
}

const runStation = ({ change, lastRun }: LaneInput): Pick<Station, 'state' | 'note'> => {
  const { done, total } = change.tasks;
  const note = `${done} of ${total} tasks`;
  if (total === 0) return { state: 'todo', note: 'No tasks yet' };
  if (lastRun?.status === 'running') return { state: 'now', note };
  if (done === total) return { state: 'done', note };
  if (lastRun !== undefined && lastRun.status !== 'completed' && lastRun.status !== 'cancelled') {
    return { state: 'attention', note: `${note}, ${lastRun.status}` };
  }
  return { state: 'next', note };
};

const validateStation = ({ validation }: LaneInput): Pick<Station, 'state' | 'note'> => {
  if (validation === undefined) return { state: 'todo', note: '' };
  const errors = validation.issues.filter((issue) => issue.level === 'ERROR').length;
  if (!validation.valid) return { state: 'attention', note: errors === 1 ? '1 error' : `${errors} errors` };
  return { state: 'done', note: 'Spec is valid' };
};

/** Where a change stands on its way: open → plan → run → validate → archive. */
export const toLane = (input: LaneInput): readonly Station[] => {
  const { change, plan, lastRun } = input;
  const run = runStation(input);
  const validate = validateStation(input);
  const ready = run.state === 'done' && validate.state === 'done';
  return [
    { id: 'open', label: 'Open', state: 'done', note: change.template ?? 'Draft' },
    {
      id: 'plan',
      label: 'Plan',
      state: plan !== undefined || lastRun !== undefined ? 'done' : 'next',
      note:
        plan === undefined
          ? change.tasks.total > 0 && change.tasks.done === change.tasks.total
            ? 'Nothing left to pay'
            : ''
          : plan.tasks.length === 0
            ? 'Nothing left to pay'
            : `${showUsd(plan.expected.nanoUsd)} expected`,
    },
    { id: 'run', label: 'Run', ...run },
    { id: 'validate', label: 'Validate', ...validate },
    { id: 'archive', label: 'Archive', state: ready ? 'next' : 'todo', note: ready ? 'Ready' : '' },
  ];
};
