import type { CostAlert } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { CircleAlert, TriangleAlert } from 'lucide-react';
import { Ago } from '../ui/ago.tsx';
import { alertText } from './alert-text.ts';

/** Newest alerts that are shown; the stream of the API has them all. */
const SHOWN = 20;

const AlertLine = ({ alert }: { readonly alert: CostAlert }) => {
  const { text, isOver } = alertText(alert);
  const Icon = isOver ? CircleAlert : TriangleAlert;
  return (
    <li className="flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5 px-4 py-2">
      <Icon size={14} aria-hidden className={isOver ? 'translate-y-0.5 text-bad' : 'translate-y-0.5 text-warn'} />
      <span className="tnum min-w-0 flex-1 break-words">{text}</span>
      {alert.runId === '' ? null : (
        <Link to="/runs/$id" params={{ id: alert.runId }} className="text-xs text-accent underline underline-offset-2">
          its run
        </Link>
      )}
      <Ago at={alert.at} className="text-xs text-ink-3" />
    </li>
  );
};

/** `alerts` oldest first, as they are stored. */
export const AlertList = ({ alerts }: { readonly alerts: readonly CostAlert[] }) =>
  alerts.length === 0 ? (
    <p className="text-ink-2">
      None. One is given when a share of a limit is spent: 50, 75, 90 and 100 % where a limit names no others.
    </p>
  ) : (
    <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
      {alerts
        .slice(-SHOWN)
        .reverse()
        .map((alert) => (
          <AlertLine key={alert.place} alert={alert} />
        ))}
    </ul>
  );
