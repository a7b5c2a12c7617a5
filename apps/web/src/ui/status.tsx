import type { RunStatus } from '@cloutagent/contract';
import {
  CircleCheck,
  CirclePause,
  CircleSlash,
  CircleX,
  Clock3,
  FlaskConical,
  Hourglass,
  LoaderCircle,
  Unplug,
  type LucideIcon,
} from 'lucide-react';
import { cx } from './class-names.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'quiet';

const TONES: Readonly<Record<Tone, string>> = {
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
  accent: 'text-accent',
  quiet: 'text-ink-3',
};

const STATUS: Readonly<Record<RunStatus, { icon: LucideIcon; word: string; tone: Tone }>> = {
  queued: { icon: Clock3, word: 'Queued', tone: 'quiet' },
  running: { icon: LoaderCircle, word: 'Running', tone: 'accent' },
  waiting: { icon: Hourglass, word: 'Waiting', tone: 'warn' },
  cancelling: { icon: CircleSlash, word: 'Cancelling', tone: 'warn' },
  paused: { icon: CirclePause, word: 'Paused', tone: 'warn' },
  interrupted: { icon: Unplug, word: 'Interrupted', tone: 'warn' },
  completed: { icon: CircleCheck, word: 'Completed', tone: 'ok' },
  failed: { icon: CircleX, word: 'Failed', tone: 'bad' },
  cancelled: { icon: CircleSlash, word: 'Cancelled', tone: 'quiet' },
};

export const statusWord = (status: RunStatus): string => STATUS[status].word;

/** Icon and word: a status is never told by colour alone. */
export const RunStatusLabel = ({ status, className }: { readonly status: RunStatus; readonly className?: string }) => {
  const { icon: Icon, word, tone } = STATUS[status];
  return (
    <span className={cx('inline-flex items-center gap-1.5 font-medium whitespace-nowrap', TONES[tone], className)}>
      <Icon size={14} aria-hidden className={status === 'running' ? 'animate-spin motion-reduce:animate-none' : ''} />
      {word}
    </span>
  );
};

/** Marks whatever came from the simulator: nothing in it was billed. */
export const SimulatedBadge = ({ short = false }: { readonly short?: boolean }) => (
  <span
    title="Answered by the simulator, not by a model. No money was spent."
    className="inline-flex items-center gap-1 rounded border border-dashed border-sim/60 bg-sim-soft px-1.5 text-2xs font-medium whitespace-nowrap text-sim"
  >
    <FlaskConical size={11} aria-hidden />
    {short ? <span title="Simulated">sim</span> : 'Simulated'}
  </span>
);

export const Badge = ({
  tone,
  icon: Icon,
  children,
}: {
  readonly tone: Tone;
  readonly icon?: LucideIcon;
  readonly children: string;
}) => (
  <span
    className={cx(
      'inline-flex items-center gap-1 rounded border border-current/25 px-1.5 text-2xs font-medium whitespace-nowrap',
      TONES[tone],
    )}
  >
    {Icon === undefined ? null : <Icon size={11} aria-hidden />}
    {children}
  </span>
);
