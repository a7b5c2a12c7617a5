import * as z from 'zod';
import { NodeId, WorkflowDocument, WorkflowFinding } from './workflow.ts';

/** Versions of one workflow: a version every hour for a year. */
export const MAX_WORKFLOW_VERSIONS = 10_000;

/** One stored version of a workflow. It never changes; to roll back is to store an old document once more. */
export const WorkflowVersion = z.object({
  name: NodeId,
  /** From 1 on, without gaps. */
  version: z.int().min(1),
  /** SHA-256 of the document's canonical JSON. */
  hash: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  createdBy: z.string(),
  note: z.string().max(1_000).optional(),
  /** The version whose document this one has again. */
  rolledBackTo: z.int().optional(),
});
export interface WorkflowVersion extends z.infer<typeof WorkflowVersion> {}

export const StoredWorkflow = WorkflowVersion.extend({ workflow: WorkflowDocument });
export interface StoredWorkflow extends z.infer<typeof StoredWorkflow> {}

/** One difference between two versions. */
export const WorkflowChange = z.object({
  what: z.enum(['node', 'edge', 'field']),
  /** Id of a node, `source -> target` of an edge, name of a field of the document. */
  id: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  /** JSON; null where it is not there. */
  before: z.string().nullable(),
  after: z.string().nullable(),
});
export interface WorkflowChange extends z.infer<typeof WorkflowChange> {}

export const WorkflowDiff = z.object({
  name: NodeId,
  from: z.int(),
  to: z.int(),
  changes: z.array(WorkflowChange),
});
export interface WorkflowDiff extends z.infer<typeof WorkflowDiff> {}

/** Whether a workflow can be run here, and everything that is to be said about it. */
export const WorkflowVerdict = z.object({
  /** No finding is an error. */
  valid: z.boolean(),
  findings: z.array(WorkflowFinding),
});
export interface WorkflowVerdict extends z.infer<typeof WorkflowVerdict> {}

const version = z.coerce.number().int().min(1);

/** Routes of stored workflows; part of `WORKFLOW_ROUTES`. */
export const WORKFLOW_VERSION_ROUTES = {
  workflowValidate: {
    method: 'POST',
    path: '/api/workflow-validations',
    scope: 'read',
    summary: 'Whether a workflow can be run here: findings, each at its node',
    body: z.strictObject({ workflow: WorkflowDocument, workflows: z.record(NodeId, WorkflowDocument).default({}) }),
    output: WorkflowVerdict,
  },
  workflowsList: {
    method: 'GET',
    path: '/api/workflows',
    scope: 'read',
    summary: 'Stored workflows by name, each with its newest version',
    output: z.object({ workflows: z.array(WorkflowVersion) }),
  },
  workflowImport: {
    method: 'POST',
    path: '/api/workflows',
    scope: 'run',
    summary: 'Store a workflow as the next version of its name; what equals the newest version makes none',
    body: z.strictObject({ workflow: WorkflowDocument, note: z.string().max(1_000).optional() }),
    output: WorkflowVersion,
  },
  workflowVersions: {
    method: 'GET',
    path: '/api/workflows/:name/versions',
    scope: 'read',
    summary: 'Versions of a workflow, newest first',
    output: z.object({ versions: z.array(WorkflowVersion) }),
  },
  workflowExport: {
    method: 'GET',
    path: '/api/workflows/:name',
    scope: 'read',
    summary: 'A stored workflow with its document; the newest version where none is named',
    query: z.object({ version: version.optional() }),
    output: StoredWorkflow,
  },
  workflowDiff: {
    method: 'GET',
    path: '/api/workflows/:name/diff',
    scope: 'read',
    summary: 'What differs between two versions of a workflow',
    query: z.object({ from: version, to: version }),
    output: WorkflowDiff,
  },
  workflowRollback: {
    method: 'POST',
    path: '/api/workflows/:name/rollback',
    scope: 'run',
    summary: 'Store the document of an old version as the next one',
    body: z.strictObject({ version: z.int().min(1) }),
    output: WorkflowVersion,
  },
} as const;
