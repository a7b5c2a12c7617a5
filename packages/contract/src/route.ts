import * as z from 'zod';
import { AGENT_ROUTES } from './agent-route.ts';
import { ArchiveResult, ChangeDetail, ChangePage, ChangeSummary, Validation } from './change.ts';
import { MCP_ROUTES } from './mcp-route.ts';
import { Money, UsdText } from './money.ts';
import { PageQuery } from './page.ts';
import { Plan } from './plan.ts';
import { Scope } from './principal.ts';
import { COST_ROUTES } from './route-cost.ts';
import { Run, RunDetail, RunPage } from './run.ts';
import { ChangeOpenInput } from './tool.ts';
import { WORKFLOW_ROUTES } from './workflow-route.ts';

/**
 * An endpoint is data: server, client, command line and page derive from it. `params` are the `:names` of the path,
 * `query` and `body` are parsed before the handler runs; `output` 'sse' is a stream of run frames.
 */
export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** `open`: for callers without a token too. */
  readonly scope: Scope | 'open';
  /** A cookie that is no token any more counts as none. */
  readonly oldCookies?: true;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly output: z.ZodType | 'sse';
  /** false: has a limit of its own instead of REQUEST_TIMEOUT_MS. */
  readonly timed?: false;
}

const Slug = z.string().min(1).max(200);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const RunStart = z.strictObject({
  slug: Slug,
  simulate: z.boolean().default(false),
  /** Limit of the run in dollars; the plan's ceiling where absent. */
  budget: UsdText.optional(),
  model: z.string().max(100).optional(),
});

export const RunResume = z.strictObject({
  /** New limit of the run in dollars; raising it needs `admin`. */
  budget: UsdText.optional(),
  /** The budget is that of this node or task of the run, such as `task[1.2]`, instead of the run's. */
  node: z.string().min(1).max(200).optional(),
  /** What to do with a tool call whose effect is unknown after a crash. */
  unknown: z.enum(['repeat', 'skip']).optional(),
});

export const Meta = z.object({
  pid: z.int(),
  version: z.string(),
  project: z.object({ name: z.string(), root: z.string(), hasOpenspec: z.boolean(), trusted: z.boolean() }),
  model: z.object({ default: z.string(), keySet: z.boolean(), url: z.string() }),
  budget: z.object({
    billed: z.object({ limit: Money.nullable(), spent: Money, held: Money }),
    simulated: z.object({ limit: Money.nullable(), spent: Money, held: Money }),
  }),
  principal: z.object({ name: z.string(), scopes: z.array(Scope) }),
});
export interface Meta extends z.infer<typeof Meta> {}

export const ROUTES = {
  meta: {
    method: 'GET',
    path: '/api/meta',
    scope: 'read',
    summary: 'What this server is and what the caller may do',
    output: Meta,
  },
  login: {
    method: 'POST',
    path: '/api/session',
    scope: 'open',
    oldCookies: true,
    summary: 'Trade a token for a cookie (HttpOnly, SameSite=Strict)',
    body: z.strictObject({ token: z.string().min(1).max(500) }),
    output: z.object({ name: z.string(), scopes: z.array(Scope) }),
  },
  logout: {
    method: 'DELETE',
    path: '/api/session',
    scope: 'open',
    oldCookies: true,
    summary: 'Forget the cookie',
    output: z.object({ ok: z.literal(true) }),
  },
  changesList: {
    method: 'GET',
    path: '/api/changes',
    scope: 'read',
    summary: 'Changes with their task counts, newest first',
    query: PageQuery.extend({ status: z.enum(['draft', 'all']).default('draft'), pageToken: z.string().optional() }),
    output: ChangePage,
  },
  changeOpen: {
    method: 'POST',
    path: '/api/changes',
    scope: 'run',
    summary: 'Open a change from a template',
    body: ChangeOpenInput,
    output: z.object({ change: ChangeSummary, resumed: z.boolean() }),
  },
  changeShow: {
    method: 'GET',
    path: '/api/changes/:slug',
    scope: 'read',
    summary: 'One change with its tasks and deltas',
    output: ChangeDetail,
  },
  changeValidate: {
    method: 'GET',
    path: '/api/changes/:slug/validation',
    scope: 'read',
    summary: "OpenSpec's verdict with stable codes",
    query: z.object({ strict: flag.default(false) }),
    output: Validation,
  },
  changeArchive: {
    method: 'POST',
    path: '/api/changes/:slug/archive',
    scope: 'run',
    summary: 'Validate, merge, move to the archive, write the receipt',
    body: z.strictObject({ allowIncomplete: z.boolean().default(false), union: z.boolean().default(false) }),
    output: ArchiveResult,
  },
  changePlan: {
    method: 'GET',
    path: '/api/changes/:slug/plan',
    scope: 'read',
    summary: 'Price tag: expected cost and ceiling, per task and in all',
    query: z.object({ model: z.string().max(100).optional(), simulate: flag.default(false) }),
    output: Plan,
  },
  runsList: {
    method: 'GET',
    path: '/api/runs',
    scope: 'read',
    summary: 'Runs, newest first',
    query: PageQuery.extend({ slug: Slug.optional() }),
    output: RunPage,
  },
  runStart: {
    method: 'POST',
    path: '/api/runs',
    scope: 'run',
    summary: "Work through a change's open tasks",
    body: RunStart,
    output: Run,
  },
  runShow: {
    method: 'GET',
    path: '/api/runs/:id',
    scope: 'read',
    summary: 'One run with its steps and ledger',
    output: RunDetail,
  },
  runEvents: {
    method: 'GET',
    path: '/api/runs/:id/events',
    scope: 'read',
    summary: 'Live events; continue after Last-Event-ID or ?after=SEQ',
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
    output: 'sse',
  },
  runResume: {
    method: 'POST',
    path: '/api/runs/:id/resume',
    scope: 'run',
    summary: 'Continue a paused or interrupted run; finished steps are not repeated',
    body: RunResume,
    output: Run,
  },
  runCancel: {
    method: 'POST',
    path: '/api/runs/:id/cancel',
    scope: 'run',
    summary: 'Stop a run and settle its money',
    output: Run,
  },
  ...COST_ROUTES,
  ...MCP_ROUTES,
  ...AGENT_ROUTES,
  ...WORKFLOW_ROUTES,
} as const satisfies Record<string, RouteSpec>;

export type RouteName = keyof typeof ROUTES;
