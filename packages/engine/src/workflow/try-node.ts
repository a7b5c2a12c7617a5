import {
  codeOf,
  CloutError,
  toErrorBody,
  type ErrorCode,
  type NodeOutcome,
  type StepRow,
  type WorkflowNode,
} from '@cloutagent/contract';
import { ownValues } from '@cloutagent/kit';
import type { RunScope, ScopeContext } from './context.ts';
import type { Drive } from './drive.ts';
import { Halt, isHalt } from './halt.ts';
import { hashOf } from './hash.ts';
import { runNode } from './node/run-node.ts';

/** What a person or an administrator removes, after which the run goes on: no failure of a node, whatever it says. */
export const PAUSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BUDGET_EXHAUSTED',
  'EFFECT_UNKNOWN',
  'MODEL_KEY_MISSING',
  'NOT_TRUSTED',
  'MCP_SERVER_NOT_FOUND',
  'MCP_NOT_APPROVED',
  'CHANGE_LOCKED',
  'STORAGE_FULL',
  'STORAGE_READONLY',
  'STORAGE_BUSY',
]);

/** Passes by itself: pauses the run, unless the node says what is to be done about its errors. */
export const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MODEL_UNAVAILABLE',
  'MODEL_RATE_LIMITED',
  'MCP_CONNECTION_FAILED',
  'MCP_QUARANTINED',
]);

/** After these nothing can or may be written to the run any more, or it ends in another way than by a node. */
export const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FENCED',
  'RUN_NOT_FOUND',
  'RUN_NOT_RESUMABLE',
  'RUN_CANCELLING',
  'STORAGE_CORRUPT',
  'STORAGE_FAILED',
  'INTERNAL_ERROR',
  'DIVERGED',
]);

/** A person's no is not asked again. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['APPROVAL_DENIED', 'EXPRESSION_INVALID']);

/** Largest delay that a timer of the platform keeps; longer ones would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** What the work of a node depends on; its name on the canvas is not among it. */
const hashOfNode = ({ type, data }: WorkflowNode, input: string): string => {
  const { label: _, ...meaning } = data;
  return hashOf({ type, data: meaning, input });
};

const rowOf = (
  drive: Drive,
  over: Pick<StepRow, 'key' | 'kind' | 'name' | 'inputHash' | 'input' | 'output' | 'isError' | 'startedAt'>,
): StepRow => ({ ...over, usage: null, costNanoUsd: 0, endedAt: drive.clock.now() });

const MAX_PREVIEW = 2_000;
const preview = (outcome: NodeOutcome): NodeOutcome => ({ ...outcome, output: outcome.output.slice(0, MAX_PREVIEW) });

/** Records that a node was not reached. */
export const skipNode = async (context: ScopeContext, drive: Drive, node: WorkflowNode): Promise<NodeOutcome> => {
  const key = `${context.prefix}${node.id}`;
  const inputHash = hashOf({ skipped: true });
  const outcome: NodeOutcome = { status: 'skipped', output: '', branch: null, error: null, attempts: 0 };
  const { replay } = context.run;
  if (replay !== undefined) return replay.node(key, async () => outcome);
  const done = drive.finished(key, inputHash);
  if (done !== undefined) return outcome;
  if (context.halted()) throw new Halt();
  const startedAt = drive.clock.now();
  // Without an input, by which a listing knows it.
  const row = rowOf(drive, {
    key,
    kind: 'node',
    name: node.type,
    inputHash,
    input: null,
    output: outcome,
    isError: false,
    startedAt,
  });
  await drive.commit({ steps: [row], events: [{ type: 'node.finished', node: key, outcome, durationMs: 0 }] });
  return outcome;
};

/** Runs a node until it is done, or its attempts are used up; a node with a row is not run again. */
export const runNodeTries = async (
  context: ScopeContext,
  drive: Drive,
  node: WorkflowNode,
  input: string,
  outputOf: (name: string) => string | undefined,
  runScope: RunScope,
): Promise<NodeOutcome> => {
  const { run } = context;
  const key = `${context.prefix}${node.id}`;
  const inputHash = hashOfNode(node, input);
  const trying = { node, key, input, inputHash, outputOf };
  const done = run.replay === undefined ? drive.finished(key, inputHash) : undefined;
  // Written below.
  if (done !== undefined) return done.output as NodeOutcome;
  await run.activity.enter();
  try {
    if (run.replay !== undefined) {
      return await run.replay.node(key, () => attempts(context, drive, trying, runScope));
    }
    if (context.halted()) throw new Halt();
    const startedAt = drive.clock.now();
    const title = node.data.label ?? node.id;
    await drive.commit({ events: [{ type: 'node.started', node: key, kind: node.type, title, attempt: 1 }] });
    const outcome = await attempts(context, drive, trying, runScope);
    const row = rowOf(drive, {
      key,
      kind: 'node',
      name: node.type,
      inputHash,
      input,
      output: outcome,
      isError: outcome.status === 'failed',
      startedAt,
    });
    const durationMs = Math.max(0, row.endedAt - startedAt);
    await drive.commit({
      steps: [row],
      events: [{ type: 'node.finished', node: key, outcome: preview(outcome), durationMs }],
    });
    return outcome;
  } finally {
    run.activity.leave();
  }
};

interface Trying {
  readonly node: WorkflowNode;
  readonly key: string;
  readonly input: string;
  readonly inputHash: string;
  readonly outputOf: (name: string) => string | undefined;
}

interface Failed {
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds since 1970, UTC. */
  readonly retryAt: number;
}

const attempts = async (
  context: ScopeContext,
  drive: Drive,
  trying: Trying,
  runScope: RunScope,
): Promise<NodeOutcome> => {
  const { node, key, inputHash, input } = trying;
  const { retry, onError = 'fail' } = node;
  const halting = haltingDrive(context, drive);
  for (let nth = 1; ; nth += 1) {
    const tryKey = `${key}/try[${nth - 1}]`;
    const before = drive.finished(tryKey, inputHash);
    // Written below.
    let failed = before?.output as Failed | undefined;
    if (failed === undefined) {
      const startedAt = drive.clock.now();
      try {
        const { output, branch } = await once(context, halting, trying, tryKey, runScope);
        return { status: 'done', output, branch: branch ?? null, error: null, attempts: nth };
      } catch (error) {
        const { code, message } = nodeError(context, drive, node, error);
        if (nth >= (retry?.attempts ?? 1) || FINAL.has(code)) {
          const branch = onError === 'branch' ? 'error' : null;
          return { status: 'failed', output: '', branch, error: { code, message }, attempts: nth };
        }
        const delayMs = retry === undefined ? 0 : retry.delayMs * retry.factor ** (nth - 1);
        failed = { code, message, retryAt: drive.clock.now() + Math.round(delayMs) };
        const row = { key: tryKey, kind: 'attempt', name: node.type, inputHash, input, output: failed } as const;
        const title = node.data.label ?? node.id;
        await drive.commit({
          steps: [rowOf(drive, { ...row, isError: true, startedAt })],
          events: [{ type: 'node.started', node: key, kind: node.type, title, attempt: nth + 1 }],
        });
      }
    }
    await context.run.waits.wait(halting, `${tryKey}/delay`, { topic: null, until: failed.retryAt });
  }
};

/** What went wrong with a node; what is not a node's to decide stops the run instead. */
const nodeError = (
  context: ScopeContext,
  drive: Drive,
  node: WorkflowNode,
  error: unknown,
): { readonly code: ErrorCode; readonly message: string } => {
  if (isHalt(error)) throw error;
  const { run } = context;
  const code = codeOf(error);
  const patient = node.retry === undefined && (node.onError ?? 'fail') === 'fail';
  const stops =
    drive.signal.aborted ||
    code === undefined ||
    FATAL.has(code) ||
    PAUSING.has(code) ||
    (patient && PASSING.has(code));
  if (stops) {
    run.stop(drive.signal.aborted ? drive.signal.reason : error);
    throw new Halt();
  }
  return { code, message: toErrorBody(error).message };
};

/** Between its steps a node can be stopped without anything being lost or paid for nothing. */
const haltingDrive = (context: ScopeContext, drive: Drive): Drive => ({
  ...drive,
  finished: (step, hash) => {
    const row = drive.finished(step, hash);
    if (row === undefined && context.halted()) throw new Halt();
    return row;
  },
});

const once = async (
  context: ScopeContext,
  drive: Drive,
  { node, key: place, input, outputOf }: Trying,
  key: string,
  runScope: RunScope,
) => {
  const ended = new AbortController();
  const timeout = new AbortController();
  // An approval's time outlives the process; see there.
  const timeoutMs = node.type === 'approval' ? undefined : node.timeoutMs;
  const timedOut = new CloutError('NODE_TIMEOUT', `The node was not done after ${timeoutMs ?? 0} ms`);
  if (timeoutMs !== undefined) {
    drive.clock.sleep(Math.min(timeoutMs, MAX_TIMER_MS), ended.signal).then(
      () => timeout.abort(timedOut),
      () => undefined,
    );
  }
  const own: Drive = {
    ...drive,
    rest: async (step, until) => {
      await context.run.waits.wait(drive, step, { topic: null, until });
    },
    ...(timeoutMs === undefined ? {} : { signal: AbortSignal.any([drive.signal, timeout.signal]) }),
  };
  const variable = ownValues(context.variables);
  const valueOf = (name: string): string | undefined => (name === 'input' ? input : (variable(name) ?? outputOf(name)));
  try {
    return await runNode({ context, node, place, key, input, drive: own, valueOf }, runScope);
  } catch (error) {
    if (timeout.signal.aborted && !drive.signal.aborted && !isHalt(error)) throw timedOut;
    throw error;
  } finally {
    ended.abort(new Halt());
  }
};
