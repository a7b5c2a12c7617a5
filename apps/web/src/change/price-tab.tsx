import { showUsd, type ChangeDetail, type Plan } from '@cloutagent/contract';
import { useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { planQuery } from '../api/queries.ts';
import { Amount, MoneyBar } from '../ui/money.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { SkeletonRows } from '../ui/skeleton.tsx';
import { SimulatedBadge } from '../ui/status.tsx';
import { planVersion } from './plan-version.ts';

const Figure = ({
  label,
  nanoUsd,
  note,
}: {
  readonly label: string;
  readonly nanoUsd: number | null;
  readonly note: string;
}) => (
  <div className="px-4 py-3">
    <dt className="text-xs text-ink-3">{label}</dt>
    <dd>
      <span className="tnum block text-lg font-semibold">{nanoUsd === null ? 'No limit' : showUsd(nanoUsd)}</span>
      <span className="block text-xs text-ink-3">{note}</span>
    </dd>
  </div>
);

const PlanTable = ({ plan }: { readonly plan: Plan }) => (
  <div className="overflow-x-auto rounded-lg border border-line bg-surface">
    <table className="tnum w-full border-collapse">
      <caption className="sr-only">Price of each open task</caption>
      <thead className="border-b border-line text-2xs text-ink-3">
        <tr>
          <th scope="col" className="px-4 py-2 text-left font-medium">
            Task
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium max-sm:hidden">
            Checks
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium max-sm:hidden">
            Model calls
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium">
            Expected
          </th>
          <th scope="col" className="px-4 py-2 text-right font-medium">
            Ceiling
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {plan.tasks.map((task) => (
          <tr key={task.id}>
            <th scope="row" className="px-4 py-2 text-left font-normal">
              <span className="mr-2 font-mono text-xs text-ink-3">{task.id}</span>
              {task.title}
            </th>
            <td className="px-3 py-2 text-right text-ink-2 max-sm:hidden">{task.checks}</td>
            <td className="px-3 py-2 text-right text-ink-2 max-sm:hidden">{task.expectedCalls}</td>
            <td className="px-3 py-2 text-right">
              <Amount nanoUsd={task.expected.nanoUsd} />
            </td>
            <td className="px-4 py-2 text-right text-ink-2">
              <Amount nanoUsd={task.ceiling.nanoUsd} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot className="border-t border-line-strong font-semibold">
        <tr>
          <th scope="row" className="px-4 py-2 text-left">
            All open tasks
          </th>
          <td className="max-sm:hidden" />
          <td className="max-sm:hidden" />
          <td className="px-3 py-2 text-right">
            <Amount nanoUsd={plan.expected.nanoUsd} />
          </td>
          <td className="px-4 py-2 text-right">
            <Amount nanoUsd={plan.ceiling.nanoUsd} />
          </td>
        </tr>
      </tfoot>
    </table>
  </div>
);

const PlanView = ({ plan }: { readonly plan: Plan }) => (
  <div className="flex flex-col gap-4">
    <dl className="grid divide-line rounded-lg border border-line bg-surface max-sm:divide-y sm:grid-cols-3 sm:divide-x">
      <Figure label="Expected" nanoUsd={plan.expected.nanoUsd} note="what it will probably cost" />
      <Figure label="Ceiling" nanoUsd={plan.ceiling.nanoUsd} note="a run stops before it costs more" />
      <div className="flex flex-col justify-between">
        <Figure
          label={plan.simulated ? 'Free in the simulated budget' : 'Free in the project’s budget'}
          nanoUsd={plan.budget.free?.nanoUsd ?? null}
          note={plan.budget.limit === null ? 'no limit is set' : `of ${showUsd(plan.budget.limit.nanoUsd)}`}
        />
        <MoneyBar
          money={plan.budget}
          simulated={plan.simulated}
          label="Budget of the project"
          className="mx-4 mb-3 w-48"
        />
      </div>
    </dl>
    {plan.warnings.map((warning) => (
      <p key={warning} className="flex gap-2 rounded-md bg-warn-soft px-3 py-2">
        <TriangleAlert size={14} aria-hidden className="mt-0.5 shrink-0 text-warn" />
        {warning}
      </p>
    ))}
    {plan.tasks.length === 0 ? (
      <p className="text-ink-2">Every task is done: there is nothing left to pay for.</p>
    ) : (
      <PlanTable plan={plan} />
    )}
    <section aria-labelledby="derivation" className="text-ink-2">
      <h2 id="derivation" className="mb-1.5 flex flex-wrap items-center gap-2 font-semibold text-ink">
        How the figures came about {plan.simulated ? <SimulatedBadge /> : null}
      </h2>
      <ul className="flex max-w-[90ch] list-disc flex-col gap-1 pl-5 marker:text-ink-3">
        {plan.derivation.map((line) => (
          <li key={line}>{line}</li>
        ))}
        <li>
          Model {plan.model}, prices as of {plan.pricesAsOf}
        </li>
      </ul>
    </section>
  </div>
);

/** What the open tasks will cost, and how we know. */
export const PriceTab = ({ change, simulate }: { readonly change: ChangeDetail; readonly simulate: boolean }) => {
  const plan = useQuery(planQuery(change.slug, simulate, planVersion(change)));
  if (plan.data !== undefined) return <PlanView plan={plan.data} />;
  if (plan.error !== null)
    return <ProblemBox error={plan.error} retrying={plan.isFetching} onRetry={() => void plan.refetch()} />;
  return (
    <div className="rounded-lg border border-line bg-surface">
      <SkeletonRows rows={4} label="Loading the price tag" />
    </div>
  );
};
