import {
  CloutError,
  parseUsd,
  PERIOD_OF,
  toMoney,
  type BudgetLevel,
  type CostAlert,
  type CostLimitInput,
  type PriceRow,
} from '@cloutagent/contract';
import {
  changeLevel,
  globalLevel,
  knownPriceOf,
  priceFor,
  projectLevel,
  userLevel,
  type Price,
} from '@cloutagent/engine';
import { toIso } from '@cloutagent/kit';
import type { StreamWriter } from '@cloutagent/http';
import type * as z from 'zod';
import { examine } from '../cost/doctor.ts';
import { toCostSummary } from '../cost/summary.ts';
import type { Workbench } from '../workbench.ts';
import type { Handlers } from './bind.ts';

type CostRoutes =
  | 'costsSummary'
  | 'costsLimit'
  | 'costsBudgets'
  | 'costsAlerts'
  | 'costsAlertEvents'
  | 'costsEstimate'
  | 'costsPrices'
  | 'doctor';

/** A request that names no start means the last thirty days. */
const DEFAULT_RANGE_MS = 30 * 86_400_000;

type LimitInput = z.output<typeof CostLimitInput>;

export const costHandlers = (bench: Workbench): Pick<Handlers, CostRoutes> => {
  const { store, projectId, settings, clock } = bench;
  const requireProject = (id: string | undefined): void => {
    if (id !== projectId)
      throw new CloutError('PROJECT_NOT_FOUND', `There is no project ${id ?? ''}`, {
        hint: `This server's project is ${projectId}`,
      });
  };
  return {
    costsSummary: async ({ params, query }) => {
      requireProject(params['projectId']);
      const until = query.end === undefined ? clock.now() + 1 : Date.parse(query.end);
      const from = query.start === undefined ? until - DEFAULT_RANGE_MS : Date.parse(query.start);
      if (from > until)
        throw new CloutError('INVALID_INPUT', 'The time ends before it starts', { hint: 'Swap start and end' });
      const range = { projectId, simulated: query.simulated, from, until };
      const { prices } = await bench.laneDeps();
      return toCostSummary(await store.costs(range), range, { timeZone: settings.config.budget.timeZone, prices });
    },
    costsLimit: async ({ params, body, context }) => {
      requireProject(params['projectId']);
      const level = levelOf(projectId, body);
      const period = PERIOD_OF[body.limitType];
      await store.setLimit({
        level,
        period,
        limitNanoUsd: amountOf(body.limitAmount),
        thresholds: body.alertThresholds,
        by: context.principal.name,
      });
      await bench.resumer.raised(level, period);
      return { success: true as const };
    },
    costsBudgets: async ({ params, query }) => {
      requireProject(params['projectId']);
      return {
        timeZone: settings.config.budget.timeZone,
        enforced: settings.costs.enforced,
        budgets: await store.budgetViews(query.run),
        changes: await store.limitChanges(),
      };
    },
    costsAlerts: async ({ params, query }) => {
      requireProject(params['projectId']);
      return { alerts: await store.alerts(query.after) };
    },
    costsAlertEvents: ({ query, context }) => {
      const header = Number(context.headers['last-event-id'] ?? '');
      const after = query.after ?? (Number.isSafeInteger(header) && header > 0 ? header : 0);
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        heartbeat: true,
        run: (writer) => streamAlerts(bench, after, writer),
      };
    },
    costsEstimate: async ({ body }) => {
      const { prices } = await bench.laneDeps();
      const price = priceFor(prices, body.model, toIso(clock.now()).slice(0, 10));
      const usage = {
        inputTokens: body.estimatedPromptTokens,
        outputTokens: body.estimatedCompletionTokens,
        cacheReadTokens: 0,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
      };
      const cost = knownPriceOf(price, usage) ?? 0;
      return { estimatedCost: cost / 1_000_000_000, cost: toMoney(cost), priceId: price.id, pricesAsOf: prices.asOf };
    },
    costsPrices: async () => {
      const { prices } = await bench.laneDeps();
      return { asOf: prices.asOf, prices: [...new Set([...prices.models.values()].flat())].map(toPriceRow) };
    },
    doctor: () => examine(bench),
  };
};

const levelOf = (projectId: string, input: LimitInput): BudgetLevel => {
  const { scope, simulated } = input;
  if (scope === 'project') return projectLevel(projectId, simulated);
  if (scope === 'global') return globalLevel(simulated);
  if (input.id === undefined)
    throw new CloutError('INVALID_INPUT', `The limit of a ${scope} needs an id`, {
      hint: 'A change is named by its slug, a user by name, a run by its id',
      details: { field: 'id' },
    });
  if (scope === 'change') return changeLevel(projectId, input.id, simulated);
  if (scope === 'user') return userLevel(input.id, simulated);
  return { scope, id: input.id };
};

/** Numbers have at most nine places that count; what is written beyond is none of a nano-dollar. */
const amountOf = (amount: LimitInput['limitAmount']): number | null => {
  if (amount === null) return null;
  const nanoUsd = parseUsd(typeof amount === 'number' ? amount.toFixed(9) : amount);
  if (nanoUsd === undefined)
    throw new CloutError('INVALID_INPUT', 'limitAmount is no amount in dollars', { details: { field: 'limitAmount' } });
  return nanoUsd;
};

const perMillion = (picoPerToken: number): number => picoPerToken / 1_000_000;

const classes = ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: Price['base']) => ({
  input: perMillion(input),
  output: perMillion(output),
  cacheWrite5m: perMillion(cacheWrite5m),
  cacheWrite1h: perMillion(cacheWrite1h),
  cacheRead: perMillion(cacheRead),
});

const toPriceRow = ({ id, model, from, to, base, above, retiresOn }: Price): PriceRow => ({
  id,
  model,
  from,
  to,
  ...classes(base),
  above: above === null ? null : { promptTokens: above.promptTokens, ...classes(above.rates) },
  retiresOn,
});

/** Stored alerts first, then new ones as they come, until the reader goes. */
const streamAlerts = async (bench: Workbench, after: number, writer: StreamWriter): Promise<void> => {
  let place = after;
  let news = true;
  let wake: () => void = () => undefined;
  const stopWatching = bench.courier.watch(() => {
    news = true;
    wake();
  });
  const onAbort = (): void => wake();
  writer.signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!writer.signal.aborted) {
      news = false;
      const alerts: readonly CostAlert[] = await bench.store.alerts(place);
      for (const alert of alerts) {
        await writer.sse({ event: 'alert', id: String(alert.place), data: JSON.stringify(alert) });
        place = alert.place;
      }
      if (news || alerts.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (news || writer.signal.aborted) resolve();
      });
    }
  } finally {
    stopWatching();
    writer.signal.removeEventListener('abort', onAbort);
  }
};
