import type { Run } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { Ago } from '../ui/ago.tsx';
import { Amount, MoneyBar } from '../ui/money.tsx';
import { RunStatusLabel, SimulatedBadge } from '../ui/status.tsx';
import { showDuration } from '../ui/time.ts';

const durationOf = (run: Run): string =>
  showDuration(Date.parse(run.finishedAt ?? run.updatedAt) - Date.parse(run.createdAt));

/** Runs of one change, newest first. */
export const RunsTab = ({ runs }: { readonly runs: readonly Run[] }) => {
  if (runs.length === 0) {
    return (
      <p className="rounded-lg border border-line bg-surface px-4 py-10 text-center text-ink-2">
        Not run yet. A run works through the open tasks, one after another, within its budget.
      </p>
    );
  }
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
      {runs.map((run) => (
        <li key={run.id}>
          <Link
            to="/runs/$id"
            params={{ id: run.id }}
            className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 px-4 py-3 outline-offset-[-2px] hover:bg-hover sm:grid-cols-[9rem_1fr_7rem_7rem]"
          >
            <span className="flex items-center gap-2">
              <RunStatusLabel status={run.status} />
            </span>
            <span className="flex min-w-0 flex-wrap items-center gap-x-2 text-xs text-ink-3 max-sm:order-last max-sm:col-span-2">
              {run.simulated ? <SimulatedBadge /> : null}
              <span className="tnum">
                {run.tasks.filter((task) => task.status === 'done').length}/{run.tasks.length} tasks
              </span>
              <span aria-hidden>·</span>
              <span className="truncate font-mono">{run.model}</span>
              {run.reason === null ? null : <span className="w-full truncate text-ink-2">{run.reason.message}</span>}
            </span>
            <span className="flex flex-col items-end gap-1">
              <Amount nanoUsd={run.money.spent.nanoUsd} className="font-medium" />
              <MoneyBar
                money={run.money}
                simulated={run.simulated}
                label="Budget of the run"
                className="w-full max-sm:hidden"
              />
            </span>
            <span className="text-right text-xs text-ink-3 max-sm:hidden">
              <Ago at={run.createdAt} className="block" />
              <span className="tnum block">{durationOf(run)}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
};
