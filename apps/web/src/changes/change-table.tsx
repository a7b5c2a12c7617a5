import { Link, useNavigate } from '@tanstack/react-router';
import { Archive } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import { Ago } from '../ui/ago.tsx';
import { Amount } from '../ui/money.tsx';
import { Progress } from '../ui/progress.tsx';
import { Badge, RunStatusLabel, SimulatedBadge } from '../ui/status.tsx';
import type { ChangeRow } from './rows.ts';

const HEAD = 'px-3 py-2 text-left text-2xs font-medium text-ink-3';
const CELL = 'px-3 py-2.5 align-middle';

const LastRun = ({ row }: { readonly row: ChangeRow }) => {
  if (row.change.status === 'archived')
    return (
      <Badge tone="quiet" icon={Archive}>
        Archived
      </Badge>
    );
  const { lastRun } = row;
  if (lastRun === undefined) return <span className="text-ink-3">Not run yet</span>;
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <RunStatusLabel status={lastRun.status} />
      {lastRun.simulated ? <SimulatedBadge short /> : null}
      <Ago at={lastRun.updatedAt} className="text-xs text-ink-3" />
    </span>
  );
};

const Spend = ({ row }: { readonly row: ChangeRow }) => (
  <span className="flex flex-col items-end">
    {row.billedNanoUsd === 0 && row.simulatedNanoUsd === 0 ? <span className="text-ink-3">–</span> : null}
    {row.billedNanoUsd === 0 ? null : <Amount nanoUsd={row.billedNanoUsd} className="font-medium" />}
    {row.simulatedNanoUsd === 0 ? null : (
      <span className="inline-flex items-center gap-1.5 text-xs text-sim" title="Simulated: not billed">
        <Amount nanoUsd={row.simulatedNanoUsd} /> <SimulatedBadge short />
      </span>
    )}
  </span>
);

const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** Arrow keys and j/k go from line to line. */
const onKeyDown = (event: KeyboardEvent<HTMLTableElement>) => {
  const step = STEPS[event.key];
  if (step === undefined) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('tbody a')];
  const at = links.findIndex((link) => link === document.activeElement);
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  next?.focus();
  event.preventDefault();
};

export const ChangeTable = ({ rows }: { readonly rows: readonly ChangeRow[] }) => {
  const navigate = useNavigate();
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface">
      <table className="w-full border-collapse" onKeyDown={onKeyDown}>
        <caption className="sr-only">Changes</caption>
        <thead className="border-b border-line max-md:sr-only">
          <tr>
            <th scope="col" className={HEAD}>
              Change
            </th>
            <th scope="col" className={HEAD}>
              Tasks
            </th>
            <th scope="col" className={HEAD}>
              Last run
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Spend
            </th>
            <th scope="col" className={`${HEAD} max-lg:hidden`}>
              Owner
            </th>
            <th scope="col" className={`${HEAD} text-right max-lg:hidden`}>
              Updated
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr
              key={`${row.change.status}/${row.change.slug}`}
              onClick={(event) => {
                // The whole line is a target for the pointer; the link in it serves everyone else.
                if ((event.target as HTMLElement).closest('a') === null)
                  void navigate({ to: '/changes/$slug', params: { slug: row.change.slug } });
              }}
              className="cursor-pointer hover:bg-hover max-md:grid max-md:grid-cols-[1fr_auto] max-md:px-1 max-md:py-2"
            >
              <th scope="row" className={`${CELL} text-left font-normal max-md:col-span-2 max-md:py-1 md:w-[42%]`}>
                <Link to="/changes/$slug" params={{ slug: row.change.slug }} className="block max-w-[52ch] rounded-sm">
                  <span className="line-clamp-2 font-medium break-words text-ink">{row.change.title}</span>
                  <span className="block truncate font-mono text-2xs text-ink-3">{row.change.slug}</span>
                </Link>
              </th>
              <td className={`${CELL} max-md:py-1`}>
                <Progress done={row.change.tasks.done} total={row.change.tasks.total} />
              </td>
              <td className={`${CELL} max-md:order-last max-md:col-span-2 max-md:py-1`}>
                <LastRun row={row} />
              </td>
              <td className={`${CELL} text-right max-md:py-1`}>
                <Spend row={row} />
              </td>
              <td className={`${CELL} max-w-32 truncate text-ink-2 max-lg:hidden`}>{row.change.owner ?? '–'}</td>
              <td className={`${CELL} text-right text-xs whitespace-nowrap text-ink-3 max-lg:hidden`}>
                <Ago at={row.change.updatedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
