interface ProgressProps {
  readonly done: number;
  readonly total: number;
}

/** Tasks done of all, as a bar and as text. */
export const Progress = ({ done, total }: ProgressProps) => (
  <span className="flex items-center gap-2">
    <span
      role="progressbar"
      aria-label="Tasks done"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
      aria-valuetext={`${done} of ${total} tasks done`}
      className="h-1.5 w-20 overflow-hidden rounded-full bg-sunken inset-ring inset-ring-line"
    >
      <span
        className={`block h-full rounded-full ${done === total && total > 0 ? 'bg-ok' : 'bg-ink-2'}`}
        style={{ width: `${total === 0 ? 0 : (done / total) * 100}%` }}
      />
    </span>
    <span className="tnum text-xs whitespace-nowrap text-ink-2">
      {done}/{total}
    </span>
  </span>
);
