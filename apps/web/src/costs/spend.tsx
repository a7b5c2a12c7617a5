import { showUsd, type CostRow, type CostSummary } from '@cloutagent/contract';
import { useNavigate } from '@tanstack/react-router';
import { COSTS_BY, type CostsBy } from '../search.ts';
import { Amount } from '../ui/money.tsx';
import { Tabs } from '../ui/tabs.tsx';

const LABELS: Readonly<Record<CostsBy, string>> = { model: 'Model', change: 'Change', node: 'Node', user: 'User' };
const ROWS: Readonly<Record<CostsBy, keyof CostSummary & `by${string}`>> = {
  model: 'byModel',
  change: 'byChange',
  node: 'byNode',
  user: 'byUser',
};

/** Tokens that a model read, however they were paid for. */
const tokensIn = ({ usage }: CostRow): number =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;

const Days = ({ days, simulated }: { readonly days: readonly CostRow[]; readonly simulated: boolean }) => {
  const most = Math.max(1, ...days.map(({ cost }) => cost.nanoUsd));
  return (
    <ul
      aria-label="Spent by day"
      className="mb-5 flex h-24 items-end gap-1 overflow-x-auto rounded-lg border border-line bg-surface p-3"
    >
      {days.map(({ key, cost, calls }) => (
        <li
          key={key}
          title={`${key}: ${showUsd(cost.nanoUsd)}, ${calls} calls`}
          className={
            simulated ? 'min-w-2 max-w-8 flex-1 rounded-sm bg-sim' : 'min-w-2 max-w-8 flex-1 rounded-sm bg-ink-2'
          }
          style={{ height: `${Math.max(3, (cost.nanoUsd / most) * 100)}%` }}
        >
          <span className="sr-only">
            {key}: {showUsd(cost.nanoUsd)}, {calls} calls
          </span>
        </li>
      ))}
    </ul>
  );
};

const Table = ({ rows, label }: { readonly rows: readonly CostRow[]; readonly label: string }) => (
  <div className="overflow-x-auto rounded-lg border border-line bg-surface">
    <table className="tnum w-full border-collapse">
      <caption className="sr-only">Spent by {label.toLowerCase()}</caption>
      <thead className="border-b border-line text-2xs text-ink-3">
        <tr>
          <th scope="col" className="px-4 py-2 text-left font-medium">
            {label}
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium">
            Calls
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium max-sm:hidden">
            Tokens in
          </th>
          <th scope="col" className="px-3 py-2 text-right font-medium max-sm:hidden">
            Tokens out
          </th>
          <th scope="col" className="px-4 py-2 text-right font-medium">
            Cost
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row" className="px-4 py-2 text-left font-normal break-all">
              {row.key === '' ? <span className="text-ink-3">Outside of any</span> : row.key}
            </th>
            <td className="px-3 py-2 text-right text-ink-2">{row.calls.toLocaleString()}</td>
            <td className="px-3 py-2 text-right text-ink-2 max-sm:hidden">{tokensIn(row).toLocaleString()}</td>
            <td className="px-3 py-2 text-right text-ink-2 max-sm:hidden">{row.usage.outputTokens.toLocaleString()}</td>
            <td className="px-4 py-2 text-right">
              <Amount nanoUsd={row.cost.nanoUsd} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

interface SpendProps {
  readonly summary: CostSummary;
  readonly by: CostsBy;
  readonly simulated: boolean;
}

/** What was spent in the last thirty days, by day and by what it was for. */
export const Spend = ({ summary, by, simulated }: SpendProps) => {
  const navigate = useNavigate({ from: '/costs' });
  if (summary.calls === 0) return <p className="text-ink-2">Nothing was spent in the last thirty days.</p>;
  return (
    <>
      <p className="tnum mb-3 text-ink-2">
        <Amount nanoUsd={summary.total.nanoUsd} className="font-semibold text-ink" /> for{' '}
        {summary.calls.toLocaleString()} model calls of {summary.executionCount.toLocaleString()} runs in the last
        thirty days
        {summary.cacheSavings.nanoUsd > 0 ? `; prompt caching saved ${showUsd(summary.cacheSavings.nanoUsd)}` : ''}
        {summary.unknownOutcomes.calls > 0
          ? `; ${summary.unknownOutcomes.calls} calls with an unknown outcome are booked at their bound, ${showUsd(summary.unknownOutcomes.cost.nanoUsd)}`
          : ''}
        {summary.unpricedCalls > 0
          ? `; ${summary.unpricedCalls} calls of models without a price are booked at nothing`
          : ''}
        .
      </p>
      <Days days={summary.byDay} simulated={simulated} />
      <Tabs
        label="Spent by"
        tabs={COSTS_BY.map((id) => ({ id, label: LABELS[id] }))}
        current={by}
        onSelect={(next) => void navigate({ search: (before) => ({ ...before, by: next }), replace: true })}
      >
        <Table rows={summary[ROWS[by]]} label={LABELS[by]} />
      </Tabs>
    </>
  );
};
