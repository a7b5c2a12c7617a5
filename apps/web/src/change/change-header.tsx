import type { ChangeDetail, Run } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { Archive, CircleDot, Play, Tag } from 'lucide-react';
import { Ago } from '../ui/ago.tsx';
import { buttonClass } from '../ui/button.tsx';
import { Badge, RunStatusLabel, SimulatedBadge } from '../ui/status.tsx';

const Actions = ({ slug, busy }: { readonly slug: string; readonly busy: boolean }) => (
  <div className="flex flex-wrap gap-2">
    <Link to="/changes/$slug" params={{ slug }} search={{ tab: 'price' }} className={buttonClass('plain')}>
      <Tag size={13} aria-hidden />
      Plan
    </Link>
    <Link
      to="/changes/$slug"
      params={{ slug }}
      search={(before) => ({ ...before, panel: 'archive' })}
      className={buttonClass('plain')}
    >
      <Archive size={13} aria-hidden />
      Archive
    </Link>
    {busy ? null : (
      <Link
        to="/changes/$slug"
        params={{ slug }}
        search={(before) => ({ ...before, panel: 'run' })}
        className={buttonClass('primary')}
      >
        <Play size={13} aria-hidden />
        Run
      </Link>
    )}
  </div>
);

/** Runs that have not ended: a change has one of them at a time. */
const isLive = (run: Run | undefined): run is Run =>
  run !== undefined && ['running', 'paused', 'interrupted'].includes(run.status);

const LiveRun = ({ run }: { readonly run: Run }) => (
  <Link to="/runs/$id" params={{ id: run.id }} className={buttonClass('plain')}>
    <RunStatusLabel status={run.status} />
    {run.simulated ? <SimulatedBadge short /> : null}
    <span className="text-ink-2">Open run</span>
  </Link>
);

interface ChangeHeaderProps {
  readonly change: ChangeDetail;
  readonly lastRun: Run | undefined;
}

export const ChangeHeader = ({ change, lastRun }: ChangeHeaderProps) => (
  <header className="mb-4 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
    <div className="min-w-0">
      <p className="mb-1 flex items-center gap-1.5 text-xs text-ink-3">
        <Link to="/" className="hover:text-ink hover:underline">
          Changes
        </Link>
        <span aria-hidden>/</span>
        <span className="font-mono break-all">{change.slug}</span>
      </p>
      <h1 className="text-xl font-semibold tracking-tight break-words">{change.title}</h1>
      <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-ink-3">
        {change.status === 'draft' ? (
          <Badge tone="accent" icon={CircleDot}>
            Active
          </Badge>
        ) : (
          <Badge tone="quiet" icon={Archive}>
            Archived
          </Badge>
        )}
        {change.owner === undefined ? null : <span>Owner {change.owner}</span>}
        <span>
          Updated <Ago at={change.updatedAt} />
        </span>
      </p>
    </div>
    <div className="flex flex-wrap gap-2">
      {isLive(lastRun) ? <LiveRun run={lastRun} /> : null}
      {change.status === 'draft' ? <Actions slug={change.slug} busy={isLive(lastRun)} /> : null}
    </div>
  </header>
);
