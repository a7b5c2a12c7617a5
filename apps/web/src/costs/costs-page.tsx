import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Gauge } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { allAlertsQuery, budgetsQuery, costsQuery } from '../api/queries.ts';
import { Page } from '../shell/page.tsx';
import { buttonClass } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { ProblemBox } from '../ui/problem-box.tsx';
import { SkeletonRows } from '../ui/skeleton.tsx';
import { AlertList } from './alert-list.tsx';
import { isSimulatedBudget } from './budget-name.ts';
import { BudgetTable } from './budget-table.tsx';
import { LimitPanel } from './limit-panel.tsx';
import { Spend } from './spend.tsx';

const route = getRouteApi('/costs');

const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => {
  const id = useId();
  return (
    <section aria-labelledby={id} className="mb-8">
      <h2 id={id} className="mb-2 font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
};

interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isFetching: boolean;
  readonly refetch: () => unknown;
}

/** What a query gave, or that it is on its way, or why it did not come. */
const shown = <T,>({ data, error, isFetching, refetch }: Loaded<T>, show: (data: T) => ReactNode): ReactNode =>
  data === undefined ? (
    error === null ? (
      <div className="rounded-lg border border-line bg-surface">
        <SkeletonRows rows={3} label="Loading" />
      </div>
    ) : (
      <ProblemBox error={error} retrying={isFetching} onRetry={() => void refetch()} />
    )
  ) : (
    show(data)
  );

/** Real money and simulated money as links, so that each has an address. */
const MoneyFilter = ({ simulated }: { readonly simulated: boolean }) => (
  <nav aria-label="Money" className="flex gap-1">
    {[false, true].map((each) => (
      <Link
        key={String(each)}
        to="/costs"
        search={each ? { money: 'simulated' } : {}}
        aria-current={each === simulated ? 'true' : undefined}
        className={cx(
          'inline-flex h-8 items-center rounded-md px-2.5 font-medium outline-offset-[-2px]',
          each === simulated ? 'bg-sunken text-ink' : 'text-ink-3 hover:bg-hover hover:text-ink',
        )}
      >
        {each ? 'Simulated' : 'Billed'}
      </Link>
    ))}
  </nav>
);

/** Every budget with what is spent and reserved, the alerts of the budgets, and what the money went to. */
export const CostsPage = () => {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const simulated = search.money === 'simulated';
  const budgets = useQuery(budgetsQuery());
  const alerts = useQuery(allAlertsQuery());
  const costs = useQuery(costsQuery(simulated));
  const closePanel = () => {
    const { panel: _, ...rest } = search;
    void navigate({ search: rest });
  };
  return (
    <Page
      title="Costs"
      panel={search.panel === 'limit' ? <LimitPanel simulated={simulated} onClose={closePanel} /> : null}
    >
      <div className="mb-5 flex flex-wrap items-center justify-between gap-3">
        <h1 className="text-xl font-semibold tracking-tight">Costs</h1>
        <div className="flex items-center gap-2">
          <MoneyFilter simulated={simulated} />
          <Link to="/costs" search={(before) => ({ ...before, panel: 'limit' })} className={buttonClass('primary')}>
            <Gauge size={14} aria-hidden />
            Set a limit
          </Link>
        </div>
      </div>
      <Section title="Budgets">
        {shown(budgets, ({ budgets: all, timeZone, enforced }) => (
          <>
            {enforced ? null : (
              <p className="mb-2 rounded-md bg-warn-soft px-3 py-2">
                Limits are recorded, not enforced: ENABLE_COST_LIMITS is false.
              </p>
            )}
            <BudgetTable budgets={all.filter((one) => isSimulatedBudget(one) === simulated)} timeZone={timeZone} />
          </>
        ))}
      </Section>
      <Section title="Alerts">
        {shown(alerts, (all) => (
          <AlertList alerts={all.filter(({ budgetId }) => isSimulatedBudget({ id: budgetId }) === simulated)} />
        ))}
      </Section>
      <Section title="Spent">
        {shown(costs, (summary) => (
          <Spend summary={summary} by={search.by ?? 'model'} simulated={simulated} />
        ))}
      </Section>
    </Page>
  );
};
