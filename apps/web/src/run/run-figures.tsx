import { showUsd, type Run } from '@cloutagent/contract';
import { cx } from '../ui/class-names.ts';
import { MoneyBar } from '../ui/money.tsx';
import { showDuration } from '../ui/time.ts';
import { elapsedOf } from './run-view.ts';

const Figure = ({ label, value, note }: { readonly label: string; readonly value: string; readonly note?: string }) => (
  <div className="px-4 py-3">
    <dt className="text-xs text-ink-3">{label}</dt>
    <dd className="tnum text-base font-semibold whitespace-nowrap">
      {value}
      {note === undefined ? null : <span className="ml-1 text-xs font-normal text-ink-3">{note}</span>}
    </dd>
  </div>
);

const Key = ({
  className,
  label,
  nanoUsd,
}: {
  readonly className: string;
  readonly label: string;
  readonly nanoUsd: number;
}) => (
  <span className="inline-flex items-center gap-1.5">
    <span aria-hidden className={cx('size-2.5 rounded-sm', className)} />
    {label} <span className="tnum font-medium text-ink">{showUsd(nanoUsd)}</span>
  </span>
);

/** Money, time and tasks of a run. */
export const RunFigures = ({ run, now }: { readonly run: Run; readonly now: number }) => {
  const { spent, held, limit } = run.money;
  const free = limit === null ? null : Math.max(0, limit.nanoUsd - spent.nanoUsd - held.nanoUsd);
  const done = run.tasks.filter((task) => task.status === 'done').length;
  return (
    <div className="mb-4 grid rounded-lg border border-line bg-surface md:grid-cols-[minmax(0,1.6fr)_1fr]">
      <div className="border-line px-4 py-3 max-md:border-b md:border-r">
        <p className="flex items-baseline justify-between gap-3">
          <span className="text-xs text-ink-3">{run.simulated ? 'Simulated money, not billed' : 'Money'}</span>
          <span className="tnum">
            <span className={cx('text-base font-semibold', run.simulated && 'text-sim')}>{showUsd(spent.nanoUsd)}</span>
            <span className="text-ink-3"> of {limit === null ? 'no limit' : showUsd(limit.nanoUsd)}</span>
          </span>
        </p>
        <MoneyBar money={run.money} simulated={run.simulated} label="Budget of the run" className="my-2 h-2 w-full" />
        <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-3">
          <Key className={run.simulated ? 'bg-sim' : 'bg-ink-2'} label="Spent" nanoUsd={spent.nanoUsd} />
          <Key
            className={cx('hatch', run.simulated ? 'text-sim' : 'text-ink-3')}
            label="Reserved"
            nanoUsd={held.nanoUsd}
          />
          {free === null ? null : (
            <Key className="bg-sunken inset-ring inset-ring-line-strong" label="Free" nanoUsd={free} />
          )}
        </p>
      </div>
      <dl className="grid grid-cols-3 divide-x divide-line">
        <Figure label="Elapsed" value={showDuration(elapsedOf(run, now))} />
        <Figure label={run.kind === 'change' ? 'Tasks' : 'Nodes'} value={`${done}/${run.tasks.length}`} />
        <Figure label="Calls" value={String(run.counts.modelCalls)} note={`+${run.counts.toolCalls} tools`} />
      </dl>
    </div>
  );
};
