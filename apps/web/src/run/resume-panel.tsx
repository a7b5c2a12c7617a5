import { parseUsd, showUsd, type Run } from '@cloutagent/contract';
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
import { showJson } from './json.ts';
import { resumeNeeds } from './resume-model.ts';

const UNKNOWN = [
  {
    value: 'skip',
    label: 'It took effect: skip it',
    note: 'The agent is told that the call was made and its result is lost',
  },
  { value: 'repeat', label: 'It did not: make it again', note: 'Safe only where doing it twice does no harm' },
] as const;

/** Continues a run, with whatever has to be decided first. */
export const ResumePanel = ({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) => {
  const navigate = useNavigate();
  const plan = useQuery({ ...planQuery(run.slug, run.simulated, run.updatedAt), enabled: resumeNeeds(run).budget });
  const needs = resumeNeeds(run, plan.data?.ceiling.nanoUsd);
  const [ownBudget, setBudget] = useState<string>();
  const budget = ownBudget ?? needs.suggestedUsd;
  const [unknown, setUnknown] = useState<'repeat' | 'skip'>();
  const limit = parseUsd(budget);
  const before = run.money.limit?.nanoUsd;
  const problem =
    needs.budget && limit === undefined
      ? 'An amount in dollars, such as 0.50'
      : needs.budget && limit !== undefined && before !== undefined && limit <= before
        ? `More than the ${showUsd(before)} that it had`
        : undefined;
  const resume = useAction(
    () =>
      api.call('runResume', {
        params: { id: run.id },
        body: { ...(needs.budget ? { budget: budget.trim() } : {}), ...(unknown === undefined ? {} : { unknown }) },
      }),
    () => void navigate({ to: '/runs/$id', params: { id: run.id }, search: {} }),
  );
  const blocked = problem !== undefined || (needs.decision && unknown === undefined);
  const submit = () => {
    if (!blocked) resume.run(undefined);
  };
  return (
    <Panel
      title="Resume this run"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Close
          </Button>
          <Button
            kind="primary"
            busy={resume.busy}
            disabled={blocked}
            onClick={submit}
            icon={<Play size={13} aria-hidden />}
          >
            Resume
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
        {run.reason === null ? null : <p className="font-medium break-words">{run.reason.message}</p>}
        <p className="text-ink-2">Finished steps are kept and not repeated: nothing is paid twice.</p>
        {needs.budget ? (
          <Field
            label={run.simulated ? 'New limit in simulated dollars' : 'New limit in dollars'}
            inputMode="decimal"
            className="tnum"
            value={budget}
            onChange={(event) => setBudget(event.target.value)}
            problem={problem}
            hint={
              plan.data === undefined
                ? `For the whole run, of which ${showUsd(run.money.spent.nanoUsd)} are spent`
                : `For the whole run: ${showUsd(run.money.spent.nanoUsd)} are spent, what is left is expected to cost ${showUsd(plan.data.expected.nanoUsd)}, ${showUsd(plan.data.ceiling.nanoUsd)} at most`
            }
            autoFocusInPanel
          />
        ) : null}
        {needs.projectBudget ? (
          <p className="rounded-md bg-warn-soft p-2.5">
            The budget of the project is used up, so a higher limit of this run does not help. Raise{' '}
            <code className="font-mono">budget.project</code> in .cloutagent/config.yaml, start again, and resume.
          </p>
        ) : null}
        {needs.decision ? (
          <>
            <Choice legend="Did the call take effect?" value={unknown} onChange={setUnknown} options={UNKNOWN} />
            {run.reason?.details === undefined ? null : (
              <pre className="overflow-auto rounded-md border border-line bg-bg p-2.5 font-mono text-xs break-words whitespace-pre-wrap">
                {showJson(run.reason.details)}
              </pre>
            )}
          </>
        ) : null}
        {resume.error === null ? null : <ProblemBox error={resume.error} />}
      </form>
    </Panel>
  );
};
