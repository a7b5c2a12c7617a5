import { cx } from './class-names.ts';

/** Grey lines in the shape of what is loading. */
export const Skeleton = ({ className }: { readonly className: string }) => (
  <span aria-hidden className={cx('skeleton block', className)} />
);

export const SkeletonRows = ({ rows, label }: { readonly rows: number; readonly label: string }) => (
  <div role="status" aria-label={label} className="divide-y divide-line">
    {Array.from({ length: rows }, (_, index) => (
      <div key={index} className="flex items-center gap-4 px-4 py-3.5">
        <Skeleton className="h-3.5 w-2/5" />
        <Skeleton className="ml-auto h-3 w-16" />
        <Skeleton className="h-3 w-24" />
      </div>
    ))}
  </div>
);
