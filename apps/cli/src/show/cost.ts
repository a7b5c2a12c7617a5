import {
  showUsd,
  type BudgetView,
  type CostAlert,
  type CostRow,
  type CostSummary,
  type LimitChange,
  type PriceRow,
} from '@cloutagent/contract';
import { plain, type Style } from '../output.ts';
import { table } from './table.ts';

const right = { align: 'right' as const };
const usd = (money: { readonly nanoUsd: number } | null): string => (money === null ? '–' : showUsd(money.nanoUsd));

const BY = { model: 'byModel', day: 'byDay', node: 'byNode', user: 'byUser', change: 'byChange' } as const;

/** What was spent, and on what. */
export const showCosts = (summary: CostSummary, by: keyof typeof BY | undefined, style: Style): string => {
  const groups = (Object.keys(BY) as (keyof typeof BY)[]).filter((name) => by === undefined || by === name);
  const { unknownOutcomes: unknown } = summary;
  return [
    `${style.bold(usd(summary.total))} for ${summary.calls} calls of ${summary.executionCount} runs, from ${summary.periodStart} to ${summary.periodEnd}; ${usd(summary.held)} held.`,
    ...(unknown.calls === 0
      ? []
      : [`Of it ${usd(unknown.cost)} for ${unknown.calls} calls whose cost nobody knows, at their bound.`]),
    ...(summary.unpricedCalls === 0
      ? []
      : [style.yellow(`${summary.unpricedCalls} calls of models without a price are not in it.`)]),
    ...(summary.cacheSavings.nanoUsd === 0 ? [] : [`The prompt cache saved ${usd(summary.cacheSavings)}.`]),
    ...groups.flatMap((name) => ['', costTable(name, summary[BY[name]], style)]),
  ].join('\n');
};

const costTable = (name: string, rows: readonly CostRow[], style: Style): string =>
  table(
    [
      { title: name.toUpperCase() },
      { title: 'COST', ...right },
      { title: 'CALLS', ...right },
      { title: 'INPUT', ...right },
      { title: 'CACHED', ...right },
      { title: 'OUTPUT', ...right },
    ],
    rows.map(({ key, cost, calls, usage }) => [
      key === '' ? '–' : key,
      usd(cost),
      String(calls),
      String(usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens),
      String(usage.cacheReadTokens),
      String(usage.outputTokens),
    ]),
    style.dim,
  );

/** Budgets as they stand. */
export const showBudgets = (
  answer: {
    readonly enforced: boolean;
    readonly timeZone: string;
    readonly budgets: readonly BudgetView[];
    readonly changes: readonly LimitChange[];
  },
  style: Style,
): string =>
  [
    ...(answer.enforced ? [] : [style.yellow('Limits are only recorded (ENABLE_COST_LIMITS=false).'), '']),
    table(
      [
        { title: 'BUDGET' },
        { title: 'OVER' },
        { title: 'LIMIT', ...right },
        { title: 'SPENT', ...right },
        { title: 'HELD', ...right },
        { title: 'FREE', ...right },
        { title: 'ALERTS' },
      ],
      answer.budgets.map((budget) => [
        `${budget.scope} ${budget.id}`,
        budget.slot === '' ? 'all time' : budget.slot,
        usd(budget.limit),
        usd(budget.spent),
        usd(budget.held),
        usd(budget.free),
        budget.limit === null ? '' : budget.alertThresholds.map((percent) => `${percent} %`).join(' '),
      ]),
      style.dim,
    ),
    style.dim(`Days, weeks and months of ${plain(answer.timeZone)}.`),
  ].join('\n');

/** One line an alert. */
export const showAlerts = (alerts: readonly CostAlert[]): string =>
  alerts.length === 0
    ? 'No alerts.'
    : alerts
        .map(({ at, kind, scope, budgetId, slot, percent, spent, limit }) =>
          kind === 'threshold'
            ? `${at}  ${percent} % of ${scope} ${plain(budgetId)}${slot === '' ? '' : ` in ${slot}`}: ${usd(spent)} of ${usd(limit)}`
            : `${at}  a call of ${scope} ${plain(budgetId)} cost ${usd(spent)}, more than its bound of ${usd(limit)}`,
        )
        .join('\n');

/** Dollars for a million tokens. */
export const showPrices = (
  answer: { readonly asOf: string; readonly prices: readonly PriceRow[] },
  style: Style,
): string => {
  const classes = (row: Omit<NonNullable<PriceRow['above']>, 'promptTokens'>): string[] =>
    [row.input, row.output, row.cacheWrite5m, row.cacheWrite1h, row.cacheRead].map(String);
  const columns = ['INPUT', 'OUTPUT', 'WRITE 5M', 'WRITE 1H', 'READ'].map((title) => ({ title, ...right }));
  const rows = answer.prices.flatMap((row) => [
    [row.model, row.from ?? '', ...classes(row)],
    ...(row.above === null ? [] : [[`  over ${row.above.promptTokens} tokens of prompt`, '', ...classes(row.above)]]),
  ]);
  return [
    table([{ title: 'MODEL' }, { title: 'SINCE' }, ...columns], rows, style.dim),
    style.dim(
      `Dollars for a million tokens, as of ${plain(answer.asOf)}. Batch half of it, in the United States a tenth more; a web search $0.01.`,
    ),
  ].join('\n');
};
