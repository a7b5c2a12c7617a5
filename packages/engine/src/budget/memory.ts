import {
  CloutError,
  nodeOfStep,
  toMoney,
  type Budget,
  type BudgetShortage,
  type LimitedLevel,
  type RunEventBody,
} from '@cloutagent/contract';

/** The levels of a run on which a step counts: those of all steps, and that of its node. */
export const levelsOfStep = (levels: readonly LimitedLevel[], stepKey: string): readonly LimitedLevel[] => {
  const node = nodeOfStep(stepKey);
  return levels.filter(({ place }) => place === undefined || place === '' || place === node);
};

/** What a store says where a budget does not hold an amount. */
export const refusal = (budget: Budget & { readonly limitNanoUsd: number }, neededNanoUsd: number): CloutError => {
  const { scope, id, limitNanoUsd, spentNanoUsd, heldNanoUsd } = budget;
  const shortage: BudgetShortage = {
    scope,
    id,
    period: 'lifetime',
    slot: '',
    limitNanoUsd,
    spentNanoUsd,
    heldNanoUsd,
    neededNanoUsd,
  };
  return new CloutError('BUDGET_EXHAUSTED', `The budget of the ${scope} does not hold the next model call`, {
    details: { ...shortage },
  });
};

/** The event that ends a unit which settles money. */
export const moneyEvent = ({ limitNanoUsd, spentNanoUsd, heldNanoUsd }: Budget): RunEventBody => ({
  type: 'money',
  limit: limitNanoUsd === null ? null : toMoney(limitNanoUsd),
  spent: toMoney(spentNanoUsd),
  held: toMoney(heldNanoUsd),
});
