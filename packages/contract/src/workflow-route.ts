import * as z from 'zod';
import { Approval, ApprovalDecision, ApprovalPage } from './approval.ts';
import { UsdText } from './money.ts';
import { PageQuery } from './page.ts';
import { Plan } from './plan.ts';
import { Run } from './run.ts';
import { NodeId, WorkflowDocument } from './workflow.ts';
import { WORKFLOW_VERSION_ROUTES } from './workflow-version.ts';

/** A run of a workflow that the request carries, with every workflow that it names. */
export const WorkflowStart = z.strictObject({
  workflow: WorkflowDocument,
  workflows: z.record(NodeId, WorkflowDocument).default({}),
  input: z.string().max(1_000_000).default(''),
  variables: z.record(z.string().max(100), z.string().max(1_000_000)).default({}),
  simulate: z.boolean().default(false),
  /** Limit of the run in dollars; that of the workflow, or the plan's ceiling, where absent. */
  budget: UsdText.optional(),
  /** Of agents that name none. */
  model: z.string().max(100).optional(),
});
export type WorkflowStart = z.infer<typeof WorkflowStart>;

export const RunFork = z.strictObject({
  /** Key of a step, or the place of a node: from here on everything is done again. */
  from: z.string().min(1).max(1_000),
  /** Goes on from there instead; what comes before must be the same. */
  workflow: WorkflowDocument.optional(),
  budget: UsdText.optional(),
});

export const RunReplay = z.strictObject({
  /** Is executed against the journal instead of the run's own. */
  workflow: WorkflowDocument.optional(),
});

/** What a replay found; it asks no model and changes nothing. */
export const ReplayReport = z.object({
  /** Nodes that gave again what they had given. */
  equal: z.int(),
  divergences: z.array(
    z.object({
      node: z.string(),
      /** Key of the first step that differs. */
      step: z.string(),
      kind: z.enum(['input', 'output', 'missing']),
      recorded: z.string().nullable(),
      now: z.string().nullable(),
    }),
  ),
  output: z.string().nullable(),
  modelCalls: z.literal(0),
});
export interface ReplayReport extends z.infer<typeof ReplayReport> {}

/** Routes of workflows, of what their runs ask, and of what only their runs can do; part of `ROUTES`. */
export const WORKFLOW_ROUTES = {
  ...WORKFLOW_VERSION_ROUTES,
  runPause: {
    method: 'POST',
    path: '/api/runs/:id/pause',
    scope: 'run',
    summary: 'Let the steps of a workflow that are being done finish, then pause',
    output: Run,
  },
  runFork: {
    method: 'POST',
    path: '/api/runs/:id/fork',
    scope: 'run',
    summary: 'A new run that takes over what a workflow has done before a step, and pays for the rest only',
    body: RunFork,
    output: Run,
  },
  runReplay: {
    method: 'POST',
    path: '/api/runs/:id/replay',
    scope: 'read',
    summary: 'Execute a workflow against the journal of a run: no call, no cost; what differs is named',
    body: RunReplay,
    output: ReplayReport,
  },
  runFrames: {
    method: 'GET',
    path: '/api/runs/:id/frames',
    scope: 'read',
    summary:
      'What the nodes of a workflow say as it comes: frames {nodeId, …chunk} of seed 003; a chunk `retry` takes back the last `discarded` characters of its node',
    output: 'sse',
  },
  workflowRun: {
    method: 'POST',
    path: '/api/workflow-runs',
    scope: 'run',
    summary: 'Run a workflow',
    body: WorkflowStart,
    output: Run,
  },
  workflowPlan: {
    method: 'POST',
    path: '/api/workflow-plans',
    scope: 'read',
    summary: 'Price tag of a workflow: expected cost and ceiling, per node and in all',
    body: WorkflowStart,
    output: Plan,
  },
  approvalsList: {
    method: 'GET',
    path: '/api/approvals',
    scope: 'read',
    summary: 'What runs ask a person, newest first',
    query: PageQuery.extend({
      run: z.string().max(100).optional(),
      status: z.enum(['pending', 'all']).default('pending'),
    }),
    output: ApprovalPage,
  },
  approvalDecide: {
    method: 'POST',
    path: '/api/approvals/:id',
    scope: 'run',
    summary: 'Approve, edit or deny; the first decision holds',
    body: ApprovalDecision,
    output: Approval,
  },
} as const;
