import type { Run } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { Archive } from 'lucide-react';
import { toProblem } from '../api/error.ts';
import { Badge } from '../ui/status.tsx';
import { RunsTab } from './runs-tab.tsx';

interface ArchivedChangeProps {
  readonly slug: string;
  readonly title: string | undefined;
  readonly runs: readonly Run[];
  readonly error: unknown;
}

/** A change that is not among the active ones: what became of it, and the runs that it had. */
export const ArchivedChange = ({ slug, title, runs, error }: ArchivedChangeProps) => {
  const problem = toProblem(error);
  const archived = problem.code === 'CHANGE_ALREADY_ARCHIVED';
  return (
    <>
      <p className="mb-1 flex items-center gap-1.5 text-xs text-ink-3">
        <Link to="/" search={{ view: 'all' }} className="hover:text-ink hover:underline">
          Changes
        </Link>
        <span aria-hidden>/</span>
        <span className="font-mono break-all">{slug}</span>
      </p>
      <h1 className="flex flex-wrap items-center gap-3 text-xl font-semibold tracking-tight break-words">
        {title ?? runs[0]?.title ?? slug}
        {archived ? (
          <Badge tone="quiet" icon={Archive}>
            Archived
          </Badge>
        ) : null}
      </h1>
      <div className="mt-3 mb-6 rounded-lg border border-line bg-surface px-4 py-3">
        <p className="font-medium">{problem.message}</p>
        <p className="text-ink-2">{problem.hint}</p>
        <code className="font-mono text-2xs text-ink-3">{problem.code}</code>
      </div>
      {runs.length === 0 ? null : (
        <>
          <h2 className="mb-2 font-semibold">Runs</h2>
          <RunsTab runs={runs} />
        </>
      )}
    </>
  );
};
