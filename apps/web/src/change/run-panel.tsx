import { parseUsd, showUsd, type ChangeDetail } from '@cloutagent/contract';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Play } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api/client.ts';
import { planQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Choice, Field } from '../ui/field.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { plainUsd } from '../ui/shares.ts';
import { planVersion } from './plan-version.ts';

interface RunPanelProps {
  readonly change: ChangeDetail;
  /** Is there a model to talk to? Without one only simulated runs can start. */
  readonly hasModel: boolean;
  readonly model: string;
  readonly onClose: () => void;
}

/** Starts a run: who answers, and how much it may cost at most. */
export const RunPanel = ({ change, hasModel, model, onClose }: RunPanelProps) => {
  const navigate = useNavigate();
  const [mode, setMode] = useState<'model' | 'simulated'>(hasModel ? 'model' : 'simulated');
  const [ownBudget, setOwnBudget] = useState<string>();
  const simulate = mode === 'simulated';
  const plan = useQuery(planQuery(change.slug, simulate, planVersion(change)));
  const ceiling = plan.data?.ceiling.nanoUsd;
  const budget = ownBudget ?? (ceiling === undefined ? '' : plainUsd(ceiling));
  const limit = parseUsd(budget);
  const open = change.tasks.total - change.tasks.done;
  const start = useAction(
    () =>
      api.call('runStart', {
        body: { slug: change.slug, simulate, ...(budget.trim() === '' ? {} : { budget: budget.trim() }) },
      }),
    (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }),
  );
  const budgetProblem = budget.trim() !== '' && limit === undefined ? 'An amount in dollars, such as 0.50' : undefined;
  const tight = plan.data !== undefined && limit !== undefined && limit < plan.data.expected.nanoUsd;
  const submit = () => {
    if (budgetProblem === undefined && open > 0) start.run(undefined);
  };
  return (
    <Panel
      title="Run this change"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Close
          </Button>
          <Button
            kind="primary"
            busy={start.busy}
            disabled={open === 0}
            onClick={submit}
            icon={<Play size={13} aria-hidden />}
          >
            {simulate ? 'Run simulated' : 'Run'}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <p className="text-ink-2">
          {open === 0
            ? 'Every task is done. There is nothing left to run; the change can be archived.'
            : `${open === 1 ? 'One open task' : `${open} open tasks`}, one after another. A task with checks is ticked only when they hold.`}
        </p>
        <Choice
          legend="Who answers"
          value={mode}
          onChange={(value) => {
            setMode(value);
            setOwnBudget(undefined);
          }}
          options={[
            {
              value: 'model',
              label: model,
              note: hasModel ? 'Real work, billed to your key' : 'Needs ANTHROPIC_API_KEY or ANTHROPIC_API_URL',
              disabled: !hasModel,
            },
            { value: 'simulated', label: 'Simulator', note: 'Scripted answers, real tools and files, no bill' },
          ]}
        />
        <Field
          label={simulate ? 'Budget in simulated dollars' : 'Budget in dollars'}
          inputMode="decimal"
          className="tnum"
          value={budget}
          onChange={(event) => setOwnBudget(event.target.value)}
          placeholder={plan.isFetching ? 'Pricing…' : 'the ceiling'}
          problem={budgetProblem}
          hint={
            plan.data === undefined
              ? 'Empty means the ceiling of the price tag'
              : `Expected ${showUsd(plan.data.expected.nanoUsd)}, ceiling ${showUsd(plan.data.ceiling.nanoUsd)}. The run pauses before it would cost more.`
          }
          autoFocusInPanel
        />
        {tight ? (
          <p className="rounded-md bg-warn-soft p-2.5">
            Less than expected: the run will probably pause before it is done. It can be resumed with more.
          </p>
        ) : null}
        {plan.error === null ? null : (
          <ProblemBox error={plan.error} retrying={plan.isFetching} onRetry={() => void plan.refetch()} />
        )}
        {start.error === null ? null : <ProblemBox error={start.error} />}
      </form>
    </Panel>
  );
};
