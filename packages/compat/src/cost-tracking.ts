import { NO_USAGE } from '@cloutagent/contract';
import { loadPrices, priceOf, PROVIDERS, resolveModel } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';

/** Seed 003, task 2.4; amounts in dollars. */
export interface CostRecord {
  readonly id: string;
  readonly projectId: string;
  readonly userId?: string;
  readonly executionId: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalCost: number;
  readonly timestamp: Date;
}

export interface ProjectCostSummary {
  readonly projectId: string;
  readonly totalCost: number;
  readonly executionCount: number;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  readonly costByModel: Record<string, number>;
  readonly costByDay: { readonly date: string; readonly cost: number }[];
}

export interface CostLimit {
  readonly projectId: string;
  readonly limitType: 'daily' | 'weekly' | 'monthly';
  readonly limitAmount: number;
  readonly currentSpend: number;
  /** Per cent. */
  readonly alertThresholds: number[];
}

export interface CostAlert {
  readonly projectId: string;
  readonly threshold: number;
  readonly currentCost: number;
  readonly limitAmount: number;
}

const NANO = 1_000_000_000;
const toNano = (usd: number): number => Math.round(usd * NANO);
/** Some 30 MB; the oldest are dropped. */
const MAX_RECORDS = 100_000;

const sumBy = (records: readonly CostRecord[], keyOf: (record: CostRecord) => string): Record<string, number> => {
  const sums = new Map<string, number>();
  for (const record of records) {
    const key = keyOf(record);
    sums.set(key, (sums.get(key) ?? 0) + toNano(record.totalCost));
  }
  return Object.fromEntries([...sums].map(([key, nano]) => [key, nano / NANO]));
};

/** Costs of one process; those of the server are in its ledger and hold before a call, not after it. */
export class CostTrackingService {
  readonly #records: CostRecord[] = [];
  readonly #limits = new Map<string, CostLimit>();
  readonly #prices = loadPrices();
  readonly #onAlert: (alert: CostAlert) => void;

  constructor(onAlert: (alert: CostAlert) => void = () => undefined) {
    this.#onAlert = onAlert;
  }

  /** Records, then throws where the limit of the project is exceeded. */
  async recordCost(record: CostRecord): Promise<void> {
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records.shift();
    await this.checkCostLimits(record.projectId, record.totalCost);
  }

  async getProjectCostSummary(projectId: string, periodStart: Date, periodEnd: Date): Promise<ProjectCostSummary> {
    const records = this.#records.filter(
      (record) => record.projectId === projectId && record.timestamp >= periodStart && record.timestamp <= periodEnd,
    );
    const byDay = sumBy(records, ({ timestamp }) => timestamp.toISOString().slice(0, 10));
    return {
      projectId,
      totalCost: records.reduce((sum, { totalCost }) => sum + toNano(totalCost), 0) / NANO,
      executionCount: records.length,
      periodStart,
      periodEnd,
      costByModel: sumBy(records, ({ model }) => model),
      costByDay: Object.entries(byDay).map(([date, cost]) => ({ date, cost })),
    };
  }

  async setCostLimit(limit: CostLimit): Promise<void> {
    this.#limits.set(limit.projectId, limit);
  }

  /** Adds to what the project has spent. Each threshold that is crossed is told once. */
  async checkCostLimits(projectId: string, newCost: number): Promise<void> {
    const limit = this.#limits.get(projectId);
    if (limit === undefined) return;
    const { limitAmount, alertThresholds } = limit;
    const before = toNano(limit.currentSpend);
    const after = before + toNano(newCost);
    const currentCost = after / NANO;
    this.#limits.set(projectId, { ...limit, currentSpend: currentCost });
    for (const threshold of alertThresholds) {
      const at = (toNano(limitAmount) * threshold) / 100;
      if (before < at && after >= at) this.#onAlert({ projectId, threshold, currentCost, limitAmount });
    }
    if (after > toNano(limitAmount))
      throw new Error(`Cost limit exceeded: $${currentCost.toFixed(4)} / $${limitAmount}`);
  }

  /** Dollars. Throws PRICE_UNKNOWN for a model without a price. */
  async estimateCost(model: string, estimatedPromptTokens: number, estimatedCompletionTokens: number): Promise<number> {
    const { price } = resolveModel(this.#prices, model, systemClock.now(), PROVIDERS.anthropic);
    const usage = { ...NO_USAGE, inputTokens: estimatedPromptTokens, outputTokens: estimatedCompletionTokens };
    return priceOf(price, usage) / NANO;
  }
}
