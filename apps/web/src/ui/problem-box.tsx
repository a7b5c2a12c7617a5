import { RotateCw, TriangleAlert } from 'lucide-react';
import { toProblem } from '../api/error.ts';
import { Button } from './button.tsx';
import { cx } from './class-names.ts';

interface ProblemBoxProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly retrying?: boolean;
  readonly className?: string;
}

/** What went wrong, what to do about it, and the code to search for. */
export const ProblemBox = ({ error, onRetry, retrying = false, className }: ProblemBoxProps) => {
  const problem = toProblem(error);
  return (
    <div role="alert" className={cx('flex gap-3 rounded-lg border border-bad/30 bg-bad-soft p-3', className)}>
      <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words text-ink">{problem.message}</p>
        <p className="mt-0.5 break-words text-ink-2">{problem.hint}</p>
        <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-2">
          {onRetry === undefined ? null : (
            <Button busy={retrying} onClick={onRetry} icon={<RotateCw size={13} aria-hidden />}>
              Try again
            </Button>
          )}
          <code className="font-mono text-2xs text-ink-2">{problem.code}</code>
        </div>
      </div>
    </div>
  );
};
