import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { buttonClass } from '../ui/button.tsx';
import { CommandLine } from '../ui/command-line.tsx';

const STATIONS = ['Open', 'Plan', 'Run', 'Validate', 'Archive'] as const;

/** The first thing a new project shows: what the product does, one button, one command. */
export const EmptyChanges = () => (
  <div className="rounded-lg border border-line bg-surface px-5 py-12 sm:px-10">
    <div className="mx-auto flex max-w-[520px] flex-col items-center gap-5 text-center">
      <ol aria-label="The way of a change" className="flex items-center text-xs text-ink-3">
        {STATIONS.map((station, index) => (
          <li key={station} className="flex items-center">
            {index === 0 ? null : <span aria-hidden className="mx-1.5 h-px w-4 bg-line-strong sm:mx-2 sm:w-7" />}
            <span className={index === 0 ? 'font-semibold text-ink' : ''}>{station}</span>
          </li>
        ))}
      </ol>
      <div>
        <h2 className="text-lg font-semibold">Open your first change</h2>
        <p className="mt-1 text-ink-2">
          A change says what should be different, as a spec with tasks. CloutAgent names a price, lets agents do the
          tasks, checks them, and keeps the receipt.
        </p>
      </div>
      <Link to="/" search={{ panel: 'open' }} className={buttonClass('primary')}>
        <Plus size={14} aria-hidden />
        Open a change
      </Link>
      <div className="flex w-full max-w-[500px] flex-col gap-1.5">
        <span className="text-xs text-ink-3">or in a terminal</span>
        <CommandLine command={'clout change open my-first-change --title "My first change"'} />
      </div>
    </div>
  </div>
);
