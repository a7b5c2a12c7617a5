import { showUsd, type CostAlert } from '@cloutagent/contract';
import { budgetName, periodName } from './budget-name.ts';

/** One sentence, and whether money is gone rather than going. */
export const alertText = (alert: CostAlert): { readonly text: string; readonly isOver: boolean } => {
  const whose = budgetName({ scope: alert.scope, id: alert.budgetId });
  const [spent, limit] = [showUsd(alert.spent.nanoUsd), showUsd(alert.limit.nanoUsd)];
  if (alert.kind === 'bound-violated')
    return { text: `${whose}: a call cost ${spent}, more than its upper bound of ${limit}`, isOver: true };
  const over = alert.slot === '' ? '' : `, ${periodName(alert).toLowerCase()}`;
  return {
    text: `${whose}${over}: ${alert.percent} % of the budget is spent, ${spent} of ${limit}`,
    isOver: alert.percent >= 100,
  };
};
