import * as z from 'zod';
import { Check } from './change.ts';
import { Money } from './money.ts';
import { pageOf } from './page.ts';
import { Usage } from './usage.ts';

/**
 * `interrupted` and `queued` are never stored: they are what a `running` run is called that no process drives, after a
 * crash or because others come first. `waiting` holds nothing until a person decides or a time has come, `paused` waits
 * for a decision that `reason` names (money, an effect that is unknown). `cancelling` ends as `cancelled` whatever happens.
 */
export const RunStatus = z.enum([
  'queued',
  'running',
  'waiting',
  'paused',
  'interrupted',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
]);
export type RunStatus = z.infer<typeof RunStatus>;

/** Why a run is paused or failed: a code of the error table, a sentence, and the figures behind it. */
export const RunReason = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export interface RunReason extends z.infer<typeof RunReason> {}

/** The tasks of a change and the limits they run under, pinned by hash when the run starts. */
export const RunDocument = z.object({
  format: z.literal(1),
  kind: z.literal('change'),
  slug: z.string(),
  title: z.string(),
  /** Tells the change from a later one of the same slug; absent in runs of before this was recorded. */
  identity: z.string().optional(),
  model: z.string(),
  /** Model calls per attempt at a task. */
  maxIterations: z.int(),
  /** Attempts at a task: one, and one more after each failed set of checks. */
  maxAttempts: z.int(),
  /** Upper bound of `max_tokens` of one model call. */
  maxTokens: z.int(),
  system: z.string(),
  tasks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      prompt: z.string(),
      checks: z.array(Check),
      unreadableChecks: z.array(z.string()),
    }),
  ),
});
export interface RunDocument extends z.infer<typeof RunDocument> {}

/** `node` and `attempt`: how a node of a workflow, or one failed attempt at it, ended. `wait`: what a wait gave. `plan`: tasks that a node pinned. */
export const StepKind = z.enum([
  'model',
  'tool',
  'check',
  'tick',
  'task',
  'node',
  'attempt',
  'approval',
  'wait',
  'plan',
]);
export type StepKind = z.infer<typeof StepKind>;

/** One finished step. Rows are insert-only; the key is the step's place: `task[1.2]/try[0]/turn[1]/tool[0]`. */
export const StepRow = z.object({
  key: z.string(),
  kind: StepKind,
  /** Model id, `server:tool`, the check's text, or the task's id. */
  name: z.string(),
  /** SHA-256 of the input; the same key with another hash is `DIVERGED`. */
  inputHash: z.string(),
  input: z.unknown(),
  output: z.unknown(),
  isError: z.boolean(),
  usage: Usage.nullable(),
  costNanoUsd: z.int(),
  /** Milliseconds since 1970, UTC. */
  startedAt: z.int(),
  endedAt: z.int(),
});
export interface StepRow extends z.infer<typeof StepRow> {}

/** `checked`: our checks held. `unverified`: the agent's word. `by-hand`: ticked outside of a run. */
export const Verification = z.enum(['checked', 'unverified', 'by-hand']);
export type Verification = z.infer<typeof Verification>;

export const CheckResult = z.object({ check: Check, ok: z.boolean(), detail: z.string() });
export interface CheckResult extends z.infer<typeof CheckResult> {}

/** Output of a `task` step: how the task ended. */
export const TaskOutcome = z.object({
  taskId: z.string(),
  ticked: z.boolean(),
  verification: Verification.nullable(),
  attempts: z.int(),
  evidence: z.array(CheckResult),
  /** Why it stays open, else the agent's closing words. */
  note: z.string(),
});
export interface TaskOutcome extends z.infer<typeof TaskOutcome> {}

/** A task of a change, or a node of a workflow. */
export const RunTask = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(['open', 'running', 'waiting', 'done', 'failed', 'skipped']),
  verification: Verification.nullable(),
  costNanoUsd: z.int(),
});

export const RunKind = z.enum(['change', 'workflow']);
export type RunKind = z.infer<typeof RunKind>;

export const Run = z.object({
  id: z.string(),
  kind: RunKind,
  /** Of the change, or the name of the workflow. */
  slug: z.string(),
  title: z.string(),
  status: RunStatus,
  reason: RunReason.nullable(),
  model: z.string(),
  simulated: z.boolean(),
  createdAt: z.string(),
  updatedAt: z.string(),
  finishedAt: z.string().nullable(),
  money: z.object({ limit: Money.nullable(), spent: Money, held: Money }),
  usage: Usage,
  counts: z.object({ modelCalls: z.int(), toolCalls: z.int(), unknownOutcomes: z.int() }),
  tasks: z.array(RunTask),
  documentHash: z.string(),
  /** The run whose steps this one took over, and the step from which it goes its own way. */
  forkedFrom: z.object({ runId: z.string(), step: z.string() }).nullable(),
});
export interface Run extends z.infer<typeof Run> {}

export const RunPage = pageOf(Run);

/** One row of the ledger: one attempt at one model call. `amount` is what it cost, or the bound while it is not known. */
export const LedgerRow = z.object({
  id: z.string(),
  stepKey: z.string(),
  attempt: z.int(),
  model: z.string(),
  priceId: z.string(),
  outcome: z.enum(['held', 'known', 'unknown', 'released']),
  reserved: Money,
  amount: Money,
  usage: Usage.nullable(),
  requestId: z.string().nullable(),
  createdAt: z.string(),
  settledAt: z.string().nullable(),
});
export interface LedgerRow extends z.infer<typeof LedgerRow> {}

/** A wait of a run that waits: for a topic to be signalled, for a time, or for whichever comes first. */
export const RunWait = z.object({
  key: z.string(),
  topic: z.string().nullable(),
  /** Milliseconds since 1970, UTC. */
  until: z.int().nullable(),
});
export interface RunWait extends z.infer<typeof RunWait> {}

export const RunDetail = z.object({
  run: Run,
  steps: z.array(StepRow),
  ledger: z.array(LedgerRow),
  waits: z.array(RunWait),
  lastSeq: z.int(),
});
export interface RunDetail extends z.infer<typeof RunDetail> {}
