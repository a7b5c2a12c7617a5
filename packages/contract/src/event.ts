import * as z from 'zod';
import { ApprovalKind, ApprovalStatus } from './approval.ts';
import { Money } from './money.ts';
import { CheckResult, RunReason, RunStatus, TaskOutcome } from './run.ts';
import { Usage } from './usage.ts';
import { NodeOutcome } from './workflow.ts';

/**
 * What happens in a run, in the order
 * `run.state (task.started (model.started model.text* model.finished (tool.started tool.finished)*)+ check.finished* task.finished)* run.state`.
 * In a workflow nodes stand in the place of tasks, those of parallel branches among each other:
 * `node.started … (approval.requested … approval.decided | wait.started)* … node.finished`.
 * Every event but `model.text` is stored with its `seq` before it is sent.
 */
export const RunEventBody = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run.state'), status: RunStatus, reason: RunReason.nullable() }),
  z.object({ type: z.literal('task.started'), taskId: z.string(), title: z.string() }),
  z.object({ type: z.literal('task.finished'), outcome: TaskOutcome }),
  z.object({
    type: z.literal('model.started'),
    step: z.string(),
    model: z.string(),
    attempt: z.int(),
    reserved: Money,
  }),
  z.object({
    type: z.literal('model.finished'),
    step: z.string(),
    stopReason: z.string(),
    text: z.string(),
    usage: Usage,
    cost: Money,
  }),
  z.object({
    type: z.literal('model.retry'),
    step: z.string(),
    attempt: z.int(),
    code: z.string(),
    message: z.string(),
    delayMs: z.int(),
  }),
  z.object({
    type: z.literal('tool.started'),
    step: z.string(),
    server: z.string(),
    tool: z.string(),
    input: z.unknown(),
  }),
  z.object({
    type: z.literal('tool.finished'),
    step: z.string(),
    isError: z.boolean(),
    /** First 2,000 characters of the text result. */
    preview: z.string(),
    durationMs: z.int(),
  }),
  z.object({ type: z.literal('check.finished'), step: z.string(), result: CheckResult }),
  z.object({
    type: z.literal('node.started'),
    /** Place of the node: the beginning of the keys of its steps. */
    node: z.string(),
    kind: z.string(),
    title: z.string(),
    attempt: z.int(),
  }),
  z.object({
    type: z.literal('node.finished'),
    node: z.string(),
    /** Its `output` is the first 2,000 characters. */
    outcome: NodeOutcome,
    durationMs: z.int(),
  }),
  z.object({ type: z.literal('wait.started'), step: z.string(), until: z.int() }),
  z.object({
    type: z.literal('approval.requested'),
    approval: z.string(),
    step: z.string(),
    kind: ApprovalKind,
    title: z.string(),
    expiresAt: z.string().nullable(),
  }),
  z.object({
    type: z.literal('approval.decided'),
    approval: z.string(),
    step: z.string(),
    status: ApprovalStatus,
    by: z.string().nullable(),
    reason: z.string().nullable(),
  }),
  z.object({ type: z.literal('money'), limit: Money.nullable(), spent: Money, held: Money }),
]);
export type RunEventBody = z.infer<typeof RunEventBody>;

/** A stored event. `seq` is gap-free per run, from 1; `at` is milliseconds since 1970, UTC. */
export interface RunEvent {
  readonly seq: number;
  readonly runId: string;
  readonly at: number;
  readonly body: RunEventBody;
}

/**
 * Text as it streams. Never stored: a reader that joins late gets one with `snapshot: true` that holds the whole text
 * of the call so far and replaces what it had. Text of an attempt stands between its `model.started` and whatever ends it:
 * after a `model.retry` of the step what came before no longer counts.
 */
export interface TextDelta {
  readonly runId: string;
  readonly step: string;
  readonly text: string;
  readonly snapshot: boolean;
}

/** Frames of `GET /api/runs/:id/events`: SSE events `run` (id = seq), `text` (no id), `heartbeat`, `shutdown`. */
export type RunFrame =
  | { readonly event: 'run'; readonly id: string; readonly data: RunEvent }
  | { readonly event: 'text'; readonly data: TextDelta };
