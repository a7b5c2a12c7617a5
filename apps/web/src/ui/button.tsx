import type { ComponentProps, ReactNode } from 'react';
import { LoaderCircle } from 'lucide-react';
import { cx } from './class-names.ts';

type Kind = 'primary' | 'plain' | 'quiet' | 'danger';

const KINDS: Readonly<Record<Kind, string>> = {
  primary: 'bg-ink text-bg border-transparent hover:opacity-85',
  plain: 'bg-surface text-ink border-line-strong hover:bg-hover',
  quiet: 'bg-transparent text-ink-2 border-transparent hover:bg-hover hover:text-ink',
  danger: 'bg-surface text-bad border-line-strong hover:bg-bad-soft',
};

const BASE =
  'inline-flex h-8 shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-md border px-2.5 text-sm font-medium transition-colors select-none';

export const buttonClass = (kind: Kind = 'plain', extra?: string): string => cx(BASE, KINDS[kind], extra);

interface ButtonProps extends Omit<ComponentProps<'button'>, 'type'> {
  readonly kind?: Kind;
  readonly type?: 'button' | 'submit';
  readonly busy?: boolean;
  readonly icon?: ReactNode;
}

/** A button; while `busy` it keeps its width, shows a spinner and refuses clicks without losing the focus. */
export const Button = ({
  kind = 'plain',
  busy = false,
  icon,
  className,
  children,
  onClick,
  type,
  ...rest
}: ButtonProps) => (
  <button
    // The two literals keep the attribute static for readers and linters alike.
    type={type === 'submit' ? 'submit' : 'button'}
    aria-disabled={busy || undefined}
    className={buttonClass(
      kind,
      cx('disabled:cursor-not-allowed disabled:opacity-50', busy && 'cursor-progress', className),
    )}
    onClick={busy ? (event) => event.preventDefault() : onClick}
    {...rest}
  >
    {busy ? <LoaderCircle size={14} className="animate-spin" aria-hidden /> : icon}
    {children}
  </button>
);

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'type'> {
  readonly label: string;
}

/** A square button that shows an icon and says its name. */
export const IconButton = ({ label, className, children, ...rest }: IconButtonProps) => (
  <button
    type="button"
    aria-label={label}
    title={label}
    className={cx(
      'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-3 transition-colors hover:bg-hover hover:text-ink',
      className,
    )}
    {...rest}
  >
    {children}
  </button>
);
