import { Check, CircleAlert, CircleDashed, LoaderCircle, MoveRight, type LucideIcon } from 'lucide-react';
import { cx } from '../ui/class-names.ts';
import type { Station, StationState } from './lane-model.ts';

const LOOKS: Readonly<Record<StationState, { icon: LucideIcon; tone: string; word: string }>> = {
  done: { icon: Check, tone: 'text-ok', word: 'done' },
  now: { icon: LoaderCircle, tone: 'text-accent', word: 'going on' },
  attention: { icon: CircleAlert, tone: 'text-warn', word: 'needs attention' },
  next: { icon: MoveRight, tone: 'text-ink', word: 'next' },
  todo: { icon: CircleDashed, tone: 'text-ink-3', word: 'later' },
};

/** The way of a change at a glance. */
export const Lane = ({ stations }: { readonly stations: readonly Station[] }) => (
  <ol
    aria-label="The way of this change"
    className="grid grid-cols-1 overflow-hidden rounded-lg border border-line bg-surface sm:grid-cols-5"
  >
    {stations.map((station) => {
      const { icon: Icon, tone, word } = LOOKS[station.state];
      return (
        <li
          key={station.id}
          className={cx(
            'flex items-center gap-2 border-line px-3 py-2 not-last:border-b sm:block sm:not-last:border-r sm:not-last:border-b-0',
            station.state === 'todo' && 'text-ink-3',
          )}
        >
          <span className="flex w-24 items-center gap-1.5 text-sm font-medium sm:w-auto">
            <Icon
              size={14}
              aria-hidden
              strokeWidth={2.25}
              className={cx(tone, station.state === 'now' && 'animate-spin motion-reduce:animate-none')}
            />
            {station.label}
            <span className="sr-only">: {word}</span>
          </span>
          <span className="tnum block truncate text-xs text-ink-3 sm:pl-5">
            {station.note === '' ? ' ' : station.note}
          </span>
        </li>
      );
    })}
  </ol>
);
