import { toMoney, type CostSummary, type Money } from '@cloutagent/contract';
import type { PriceTable } from '@cloutagent/engine';
import { toIso } from '@cloutagent/kit';
import type { CostGroup, CostRange, Costs } from '@cloutagent/store';

/** Dollars as a number, for the seed's shape; exact amounts stand beside it. */
const dollars = (nanoUsd: number): number => nanoUsd / 1_000_000_000;

const row = ({ key, costNanoUsd, calls, usage }: CostGroup) => ({ key, cost: toMoney(costNanoUsd), calls, usage });

/** The seed's `ProjectCostSummary` with everything that the ledger knows beside it. */
export const toCostSummary = (
  costs: Costs,
  range: CostRange,
  options: { readonly timeZone: string; readonly prices: PriceTable },
): CostSummary => ({
  projectId: range.projectId,
  totalCost: dollars(costs.total.costNanoUsd),
  executionCount: costs.runs,
  periodStart: toIso(range.from),
  periodEnd: toIso(range.until),
  costByModel: Object.fromEntries(costs.byModel.map(({ key, costNanoUsd }) => [key, dollars(costNanoUsd)])),
  costByDay: costs.byDay.map(({ key, costNanoUsd }) => ({ date: key, cost: dollars(costNanoUsd) })),
  total: toMoney(costs.total.costNanoUsd),
  held: toMoney(costs.heldNanoUsd),
  timeZone: options.timeZone,
  calls: costs.total.calls,
  unknownOutcomes: { calls: costs.unknown.calls, cost: toMoney(costs.unknown.costNanoUsd) },
  unpricedCalls: costs.byPrice.reduce((sum, { key, calls }) => sum + (key.endsWith('@unpriced') ? calls : 0), 0),
  cacheSavings: cacheSavings(costs.byPrice, options.prices),
  byModel: costs.byModel.map(row),
  byDay: costs.byDay.map(row),
  byNode: costs.byNode.map(row),
  byUser: costs.byUser.map(row),
  byChange: costs.byChange.map(row),
});

/** By the rates of the lower band: which band a call was in cannot be told from sums. */
const cacheSavings = (groups: readonly CostGroup[], prices: PriceTable): Money => {
  const rows = new Map([...prices.models.values()].flat().map((price) => [price.id, price.base]));
  let pico = 0;
  for (const { key, usage } of groups) {
    const rates = rows.get(key);
    if (rates === undefined) continue;
    pico += usage.cacheReadTokens * (rates.input - rates.cacheRead);
    pico -= usage.cacheWrite5mTokens * (rates.cacheWrite5m - rates.input);
    pico -= usage.cacheWrite1hTokens * (rates.cacheWrite1h - rates.input);
  }
  return toMoney(Math.floor(pico / 1000));
};
