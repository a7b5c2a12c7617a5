import type { CostAlert } from '@cloutagent/contract';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { TriangleAlert, X } from 'lucide-react';
import { useState } from 'react';
import { alertsQuery } from '../api/queries.ts';
import { alertText } from '../costs/alert-text.ts';
import { isSimulatedBudget } from '../costs/budget-name.ts';
import { IconButton } from '../ui/button.tsx';
import { SimulatedBadge } from '../ui/status.tsx';

const keyOf = (root: string): string => `cloutagent.alerts-seen:${root}`;

/** A browser that keeps nothing shows an alert again after it is opened anew. */
const storedPlace = (root: string): number => {
  try {
    return Number(localStorage.getItem(keyOf(root)) ?? 0) || 0;
  } catch {
    return 0;
  }
};

const storePlace = (root: string, place: number): void => {
  try {
    localStorage.setItem(keyOf(root), String(place));
  } catch {
    // Then it is kept for as long as the page is open.
  }
};

/** Alerts of budgets that this browser has not put away yet: the newest in words, the others as a number. */
export const AlertNotice = ({ root }: { readonly root: string }) => {
  const [seen, setSeen] = useState(() => storedPlace(root));
  const { data } = useQuery(alertsQuery(seen));
  const newest = data?.alerts.at(-1);
  const putAway = (alert: CostAlert) => {
    storePlace(root, alert.place);
    setSeen(alert.place);
  };
  return (
    <div role="status">
      {newest === undefined ? null : (
        <div className="flex items-center gap-2.5 border-b border-line bg-warn-soft px-4 py-1.5 sm:px-6">
          <TriangleAlert size={14} aria-hidden className="shrink-0 text-warn" />
          <p className="tnum min-w-0 flex-1">
            {alertText(newest).text} {isSimulatedBudget({ id: newest.budgetId }) ? <SimulatedBadge short /> : null}
          </p>
          <Link
            to="/costs"
            search={isSimulatedBudget({ id: newest.budgetId }) ? { money: 'simulated' } : {}}
            onClick={() => putAway(newest)}
            className="shrink-0 font-medium text-accent underline underline-offset-2"
          >
            {(data?.alerts.length ?? 1) > 1 ? `All ${data?.alerts.length} alerts` : 'Costs'}
          </Link>
          <IconButton label="Put this alert away" onClick={() => putAway(newest)}>
            <X size={14} aria-hidden />
          </IconButton>
        </div>
      )}
    </div>
  );
};
