import * as z from 'zod';
import { BudgetView, CostAlert, LimitChange } from './budget.ts';
import {
  CostEstimate,
  CostEstimateInput,
  CostLimitInput,
  CostQuery,
  CostSummary,
  DoctorReport,
  PriceRow,
} from './cost.ts';

/** Routes of money; `/summary`, `/limit` and `/estimate` are the seed's (003, task 2.4). */
export const COST_ROUTES = {
  costsSummary: {
    method: 'GET',
    path: '/api/projects/:projectId/costs/summary',
    scope: 'read',
    summary: 'What was spent in a time: by model, day, node, user and change',
    query: CostQuery,
    output: CostSummary,
  },
  costsLimit: {
    method: 'POST',
    path: '/api/projects/:projectId/costs/limit',
    scope: 'admin',
    summary: 'Set a limit of a day, week, month or for good; a raise resumes the runs that waited for it',
    body: CostLimitInput,
    output: z.object({ success: z.literal(true) }),
  },
  costsBudgets: {
    method: 'GET',
    path: '/api/projects/:projectId/costs/budgets',
    scope: 'read',
    summary:
      'Every budget: limit, spent, held, free; and who changed which limit. With ?run=ID those of a run and its nodes too',
    query: z.object({ run: z.string().max(100).optional() }),
    output: z.object({
      timeZone: z.string(),
      /** False: limits are only recorded (ENABLE_COST_LIMITS=false). */
      enforced: z.boolean(),
      budgets: z.array(BudgetView),
      changes: z.array(LimitChange),
    }),
  },
  costsAlerts: {
    method: 'GET',
    path: '/api/projects/:projectId/costs/alerts',
    scope: 'read',
    summary: 'Alerts of budgets behind ?after=PLACE, oldest first, at most 200',
    query: z.object({ after: z.coerce.number().int().min(0).default(0) }),
    output: z.object({ alerts: z.array(CostAlert) }),
  },
  costsAlertEvents: {
    method: 'GET',
    path: '/api/costs/alerts/events',
    scope: 'read',
    summary: 'Alerts as they come: SSE events `alert` (id = place); continue after Last-Event-ID or ?after=PLACE',
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
    output: 'sse',
  },
  costsEstimate: {
    method: 'POST',
    path: '/api/costs/estimate',
    scope: 'read',
    summary: 'What so many tokens of a model cost',
    body: CostEstimateInput,
    output: CostEstimate,
  },
  costsPrices: {
    method: 'GET',
    path: '/api/costs/prices',
    scope: 'read',
    summary: 'The price table',
    output: z.object({ asOf: z.string(), prices: z.array(PriceRow) }),
  },
  doctor: {
    method: 'GET',
    path: '/api/doctor',
    scope: 'admin',
    summary: 'Checks the stored data (money spent and held equals the ledger, and more) and the surroundings',
    output: DoctorReport,
  },
} as const;
