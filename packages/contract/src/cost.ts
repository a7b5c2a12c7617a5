import * as z from 'zod';
import { BudgetScope, type BudgetPeriod } from './budget.ts';
import { Money, UsdText } from './money.ts';
import { Usage } from './usage.ts';

/** Seconds, or a whole day, as a program or a person writes them. */
const Moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'must be a date or a time of ISO 8601');

/** `simulated` asks for the money of simulated runs, which is kept apart. */
export const CostQuery = z.object({
  /** From here on (included). */
  start: Moment.optional(),
  /** Up to here (excluded). */
  end: Moment.optional(),
  simulated: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
});

const Row = z.object({
  key: z.string(),
  cost: Money,
  calls: z.int(),
  usage: Usage,
});
export interface CostRow extends z.infer<typeof Row> {}

/**
 * What was spent in a time. The first seven fields are the seed's `ProjectCostSummary`, amounts there are dollars as numbers;
 * everything behind is exact.
 */
export const CostSummary = z.object({
  projectId: z.string(),
  totalCost: z.number(),
  executionCount: z.int(),
  periodStart: z.string(),
  periodEnd: z.string(),
  costByModel: z.record(z.string(), z.number()),
  costByDay: z.array(z.object({ date: z.string(), cost: z.number() })),
  total: Money,
  held: Money,
  timeZone: z.string(),
  calls: z.int(),
  /** Calls whose cost nobody knows, booked at their bound, and what was booked. */
  unknownOutcomes: z.object({ calls: z.int(), cost: Money }),
  /** Calls of models without a price, booked at nothing. */
  unpricedCalls: z.int(),
  /** What reading from the cache saved against plain input, less what writing to it cost beyond that. */
  cacheSavings: Money,
  byModel: z.array(Row),
  byDay: z.array(Row),
  /** By node of a workflow or task of a change, the dearest 100. */
  byNode: z.array(Row),
  byUser: z.array(Row),
  byChange: z.array(Row),
});
export interface CostSummary extends z.infer<typeof CostSummary> {}

/** Limits in dollars; the seed's own fields, and beside them whose money and over which time. */
export const CostLimitInput = z.object({
  limitType: z.enum(['daily', 'weekly', 'monthly', 'lifetime']),
  /** Dollars as a number, or as text where every digit counts; null takes the limit away. */
  limitAmount: z.union([z.number().min(0).max(999_999), UsdText, z.null()]),
  alertThresholds: z.array(z.int().min(1).max(1000)).max(20).optional(),
  scope: BudgetScope.exclude(['task']).default('project'),
  /** Of a change its slug, of a user the name, of a run its id; not needed for `project` and `global`. */
  id: z.string().min(1).max(200).optional(),
  simulated: z.boolean().default(false),
  // The seed's clients send these along.
  projectId: z.string().optional(),
  currentSpend: z.number().optional(),
});

export const PERIOD_OF = {
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  lifetime: 'lifetime',
} as const satisfies Record<z.infer<typeof CostLimitInput>['limitType'], BudgetPeriod>;

export const CostEstimateInput = z.object({
  model: z.string().min(1).max(100),
  estimatedPromptTokens: z.int().min(0).max(100_000_000),
  estimatedCompletionTokens: z.int().min(0).max(100_000_000),
});

/** `estimatedCost` is dollars as a number (seed 003); `cost` is exact. */
export const CostEstimate = z.object({
  estimatedCost: z.number(),
  cost: Money,
  priceId: z.string(),
  pricesAsOf: z.string(),
});
export interface CostEstimate extends z.infer<typeof CostEstimate> {}

/** One row of the price table, in dollars per million tokens. */
export const PriceRow = z.object({
  id: z.string(),
  model: z.string(),
  /** ISO dates; `to` is the first day on which it no longer holds. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  input: z.number(),
  output: z.number(),
  cacheWrite5m: z.number(),
  cacheWrite1h: z.number(),
  cacheRead: z.number(),
  /** Prompts longer than `promptTokens` are priced by these instead. */
  above: z
    .object({
      promptTokens: z.int(),
      input: z.number(),
      output: z.number(),
      cacheWrite5m: z.number(),
      cacheWrite1h: z.number(),
      cacheRead: z.number(),
    })
    .nullable(),
  retiresOn: z.string().nullable(),
});
export interface PriceRow extends z.infer<typeof PriceRow> {}

/** What `clout doctor` found; `ok` is false where something must be mended. */
export const DoctorReport = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export interface DoctorReport extends z.infer<typeof DoctorReport> {}

const Dollars = z.number().min(0).max(100_000);
const Classes = z.strictObject({ in: Dollars, out: Dollars, w5m: Dollars, w1h: Dollars, read: Dollars });

/** `prices.json` of the data folder: what it names replaces the rows of the product's own table, in dollars per million tokens. */
export const PriceFile = z.strictObject({
  /** Date of the figures. */
  asOf: z.iso.date(),
  models: z.record(
    z.string().min(1).max(100),
    Classes.partial({ w5m: true, w1h: true, read: true }).extend({
      from: z.iso.date().optional(),
      to: z.iso.date().optional(),
      maxOut: z.int().min(1).nullable().default(null),
      above: Classes.extend({ promptTokens: z.int().min(1) }).optional(),
    }),
  ),
});
export interface PriceFile extends z.infer<typeof PriceFile> {}
