import type { BudgetView } from '@cloutagent/contract';
import { Amount, MoneyBar } from '../ui/money.tsx';
import { budgetName, isSimulatedBudget, periodName } from './budget-name.ts';

const HEAD = 'px-3 py-2 text-right font-medium';
const CELL = 'px-3 py-2 text-right';

const Row = ({ budget, timeZone }: { readonly budget: BudgetView; readonly timeZone: string }) => {
  const name = `${budgetName(budget)}, ${periodName(budget).toLowerCase()}`;
  return (
    <tr>
      <th scope="row" className="max-w-64 px-4 py-2 text-left font-normal">
        <span className="block truncate">{budgetName(budget)}</span>
        <span className="block text-xs text-ink-3">
          {periodName(budget)}
          {budget.resetsAt === null ? null : (
            <>
              , until{' '}
              <time dateTime={budget.resetsAt}>
                {new Date(budget.resetsAt).toLocaleString(undefined, {
                  timeZone,
                  dateStyle: 'medium',
                  timeStyle: 'short',
                })}
              </time>
            </>
          )}
        </span>
      </th>
      <td className="px-3 py-2 max-sm:hidden">
        <MoneyBar money={budget} simulated={isSimulatedBudget(budget)} label={name} className="w-28" />
      </td>
      <td className={CELL}>
        <Amount nanoUsd={budget.spent.nanoUsd} />
      </td>
      <td className={`${CELL} text-ink-2 max-sm:hidden`}>
        <Amount nanoUsd={budget.held.nanoUsd} />
      </td>
      <td className={CELL}>
        {budget.free === null ? <span className="text-ink-3">–</span> : <Amount nanoUsd={budget.free.nanoUsd} />}
      </td>
      <td className="px-4 py-2 text-right">
        {budget.limit === null ? (
          <span className="text-ink-3">No limit</span>
        ) : (
          <Amount nanoUsd={budget.limit.nanoUsd} />
        )}
      </td>
    </tr>
  );
};

interface BudgetTableProps {
  readonly budgets: readonly BudgetView[];
  readonly timeZone: string;
}

/** Those with a limit first: they are what stops a run. */
export const BudgetTable = ({ budgets, timeZone }: BudgetTableProps) => {
  const sorted = budgets.toSorted((a, b) => Number(a.limit === null) - Number(b.limit === null));
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table className="tnum w-full border-collapse">
        <caption className="sr-only">Budgets</caption>
        <thead className="border-b border-line text-2xs text-ink-3">
          <tr>
            <th scope="col" className="px-4 py-2 text-left font-medium">
              Budget
            </th>
            <th scope="col" className="max-sm:hidden">
              <span className="sr-only">Share</span>
            </th>
            <th scope="col" className={HEAD}>
              Spent
            </th>
            <th scope="col" className={`${HEAD} max-sm:hidden`}>
              Reserved
            </th>
            <th scope="col" className={HEAD}>
              Free
            </th>
            <th scope="col" className="px-4 py-2 text-right font-medium">
              Limit
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {sorted.map((budget) => (
            <Row
              key={`${budget.scope}/${budget.id}/${budget.period}/${budget.slot}`}
              budget={budget}
              timeZone={timeZone}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
};
