import { showUsd } from '@cloutagent/contract';
import { cx } from './class-names.ts';
import { toShares, type MoneyView } from './shares.ts';

/** An amount in dollars, in figures of one width. The exact amount stands in the title. */
export const Amount = ({ nanoUsd, className }: { readonly nanoUsd: number; readonly className?: string }) => (
  <span className={cx('tnum', className)}>{showUsd(nanoUsd)}</span>
);

interface MoneyBarProps {
  readonly money: MoneyView;
  readonly simulated: boolean;
  readonly label: string;
  readonly className?: string;
}

/** Spent (solid), reserved (hatched) and free (empty) as shares of the limit; nothing where there is no limit. */
export const MoneyBar = ({ money, simulated, label, className = 'w-full' }: MoneyBarProps) => {
  const shares = toShares(money);
  if (money.limit === null) return null;
  return (
    <span
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(shares.spent + shares.held)}
      aria-valuetext={shares.text}
      title={shares.text}
      className={cx('flex h-1.5 overflow-hidden rounded-full bg-sunken inset-ring inset-ring-line', className)}
    >
      <span className={cx('h-full', simulated ? 'bg-sim' : 'bg-ink-2')} style={{ width: `${shares.spent}%` }} />
      <span
        className={cx('hatch h-full', simulated ? 'text-sim' : 'text-ink-3')}
        style={{ width: `${shares.held}%` }}
      />
    </span>
  );
};
