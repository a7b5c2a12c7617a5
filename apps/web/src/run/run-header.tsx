import type { Run, RunDetail } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { CircleStop, Play, RadioTower, TriangleAlert, WifiOff } from 'lucide-react';
import { buttonClass } from '../ui/button.tsx';
import { RunStatusLabel, SimulatedBadge } from '../ui/status.tsx';
import { hasEnded } from './use-live-run.ts';
import type { Connection } from './stream.ts';

const ConnectionLabel = ({
  connection,
  status,
}: {
  readonly connection: Connection;
  readonly status: Run['status'];
}) => {
  if (hasEnded(status) || connection === 'ended') return null;
  if (connection === 'live') {
    return (
      <span className="inline-flex items-center gap-1 text-xs text-ink-3">
        <RadioTower size={13} aria-hidden /> Live
      </span>
    );
  }
  return (
    <span className="inline-flex items-center gap-1 text-xs font-medium text-warn">
      <WifiOff size={13} aria-hidden /> {connection === 'connecting' ? 'Connecting…' : 'Reconnecting… nothing is lost'}
    </span>
  );
};

interface RunHeaderProps {
  readonly run: Run;
  readonly connection: Connection;
}

export const RunHeader = ({ run, connection }: RunHeaderProps) => {
  const canResume = run.status === 'paused' || run.status === 'interrupted';
  return (
    <header className="mb-4 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <p className="mb-1 flex flex-wrap items-center gap-1.5 text-xs text-ink-3">
          <Link to="/" className="hover:text-ink hover:underline">
            Changes
          </Link>
          <span aria-hidden>/</span>
          {run.kind === 'change' ? (
            <Link
              to="/changes/$slug"
              params={{ slug: run.slug }}
              search={{ tab: 'runs' }}
              className="font-mono break-all hover:text-ink hover:underline"
            >
              {run.slug}
            </Link>
          ) : (
            <span className="font-mono break-all">{run.slug}</span>
          )}
          <span aria-hidden>/</span>
          <span className="font-mono" title={run.id}>
            {run.id.slice(-8)}
          </span>
        </p>
        <h1 className="text-xl font-semibold tracking-tight break-words">{run.title}</h1>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1">
          <RunStatusLabel status={run.status} />
          {run.simulated ? <SimulatedBadge /> : null}
          <span className="font-mono text-xs text-ink-3">{run.model}</span>
          <ConnectionLabel connection={connection} status={run.status} />
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {hasEnded(run.status) ? null : (
          <Link
            to="/runs/$id"
            params={{ id: run.id }}
            search={(before) => ({ ...before, panel: 'cancel' })}
            className={buttonClass('danger')}
          >
            <CircleStop size={13} aria-hidden />
            Cancel
          </Link>
        )}
        {canResume ? (
          <Link
            to="/runs/$id"
            params={{ id: run.id }}
            search={(before) => ({ ...before, panel: 'resume' })}
            className={buttonClass('primary')}
          >
            <Play size={13} aria-hidden />
            Resume
          </Link>
        ) : null}
        {hasEnded(run.status) && run.kind === 'change' ? (
          <Link to="/changes/$slug" params={{ slug: run.slug }} className={buttonClass('plain')}>
            Open change
          </Link>
        ) : null}
      </div>
    </header>
  );
};

const waitText = (waits: RunDetail['waits']): string => {
  const times = waits.flatMap(({ until }) => until ?? []);
  const time = times.length === 0 ? '' : new Date(Math.min(...times)).toLocaleString();
  const person = waits.some(({ topic }) => topic !== null);
  // What it waits for is known a moment after that it waits.
  if (time === '') return 'This run waits for a person or a time.';
  return person ? `This run waits for a person, or until ${time}.` : `This run waits until ${time}.`;
};

/** Why a run waits or failed, in the server's words. */
export const ReasonBox = ({ run, waits }: { readonly run: Run; readonly waits: RunDetail['waits'] }) => {
  const { reason } = run;
  if (run.status === 'interrupted') {
    return (
      <div className="mb-4 flex gap-2.5 rounded-lg bg-warn-soft p-3">
        <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
        <div>
          <p className="font-medium">Nobody drives this run: its process ended before it was done</p>
          <p className="text-ink-2">
            Every finished step is kept. Resuming goes on where it stopped and repeats nothing.
          </p>
        </div>
      </div>
    );
  }
  if (run.status === 'waiting') {
    return (
      <div className="mb-4 flex gap-2.5 rounded-lg bg-warn-soft p-3">
        <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
        <p className="font-medium">{waitText(waits)} It holds nothing meanwhile and costs nothing.</p>
      </div>
    );
  }
  if (reason === null || run.status === 'running' || run.status === 'completed') return null;
  const bad = run.status === 'failed';
  return (
    <div className={`mb-4 flex gap-2.5 rounded-lg p-3 ${bad ? 'bg-bad-soft' : 'bg-warn-soft'}`}>
      <TriangleAlert size={15} aria-hidden className={`mt-0.5 shrink-0 ${bad ? 'text-bad' : 'text-warn'}`} />
      <div className="min-w-0">
        <p className="font-medium break-words">{reason.message}</p>
        <p className="break-words text-ink-2">{reason.hint}</p>
        <code className="font-mono text-2xs text-ink-2">{reason.code}</code>
      </div>
    </div>
  );
};
