import type {
  Money,
  RunEvent,
  RunFrame,
  RunReason,
  RunStatus,
  TaskOutcome,
  TextDelta,
  Usage,
} from '@cloutagent/contract';
import { rowKey, taskKey } from './step-key.ts';

/** What the stream has told about one row of the tree; times in milliseconds since 1970. */
export interface LiveStep {
  readonly kind: 'task' | 'node' | 'ask' | 'model' | 'tool' | 'check';
  readonly name: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly isError: boolean;
  readonly attempt: number;
  readonly text: string;
  readonly stopReason: string;
  readonly input: unknown;
  readonly preview: string;
  readonly usage: Usage | null;
  readonly costNanoUsd: number;
  readonly retries: readonly {
    readonly attempt: number;
    readonly code: string;
    readonly message: string;
    readonly delayMs: number;
  }[];
  readonly outcome: TaskOutcome | null;
}

export interface LiveRun {
  /** `seq` of the last event that was applied; 0 before the first. */
  readonly lastSeq: number;
  /** An event was missing: the run has to be read again from the start. */
  readonly gap: boolean;
  readonly status: RunStatus | null;
  readonly reason: RunReason | null;
  readonly money: { readonly limit: Money | null; readonly spent: Money; readonly held: Money } | null;
  readonly steps: ReadonlyMap<string, LiveStep>;
  /** Row that was touched last: what a reader who follows the run wants to see. */
  readonly current: string | null;
}

export const EMPTY_LIVE: LiveRun = {
  lastSeq: 0,
  gap: false,
  status: null,
  reason: null,
  money: null,
  steps: new Map(),
  current: null,
};

const EMPTY_STEP: LiveStep = {
  kind: 'model',
  name: '',
  startedAt: null,
  endedAt: null,
  isError: false,
  attempt: 1,
  text: '',
  stopReason: '',
  input: null,
  preview: '',
  usage: null,
  costNanoUsd: 0,
  retries: [],
  outcome: null,
};

/** Text of one step that is kept while it streams: more than a call's `max_tokens` can fill, and safe for a tab. */
const MAX_TEXT = 1_000_000;

interface Change {
  readonly key: string;
  readonly step: Partial<LiveStep>;
}

const toChange = ({ at, body }: RunEvent): Change | undefined => {
  switch (body.type) {
    case 'task.started':
      return {
        key: taskKey(body.taskId),
        step: { kind: 'task', name: body.title, startedAt: at, endedAt: null, outcome: null },
      };
    case 'task.finished':
      return {
        key: taskKey(body.outcome.taskId),
        step: { kind: 'task', endedAt: at, outcome: body.outcome, isError: !body.outcome.ticked },
      };
    case 'node.started':
      return {
        key: body.node,
        step: {
          kind: 'node',
          name: body.title,
          input: body.kind,
          startedAt: at,
          endedAt: null,
          attempt: body.attempt,
          isError: false,
        },
      };
    case 'node.finished':
      return {
        key: body.node,
        step: {
          kind: 'node',
          endedAt: at,
          isError: body.outcome.status === 'failed',
          stopReason: body.outcome.status,
          preview: body.outcome.error?.message ?? body.outcome.output,
        },
      };
    case 'approval.requested':
      return { key: body.step, step: { kind: 'ask', name: body.title, startedAt: at, endedAt: null } };
    case 'approval.decided':
      return {
        key: body.step,
        step: { kind: 'ask', endedAt: at, isError: body.status !== 'approved', preview: body.reason ?? body.status },
      };
    case 'model.started':
      return {
        key: body.step,
        // A new attempt starts from nothing: text of an attempt that broke off was never part of the run.
        step: { kind: 'model', name: body.model, startedAt: at, endedAt: null, attempt: body.attempt, text: '' },
      };
    case 'model.finished':
      return {
        key: body.step,
        step: {
          kind: 'model',
          endedAt: at,
          stopReason: body.stopReason,
          text: body.text,
          usage: body.usage,
          costNanoUsd: body.cost.nanoUsd,
        },
      };
    case 'tool.started':
      return {
        key: body.step,
        step: { kind: 'tool', name: `${body.server}:${body.tool}`, startedAt: at, endedAt: null, input: body.input },
      };
    case 'tool.finished':
      return { key: body.step, step: { kind: 'tool', endedAt: at, isError: body.isError, preview: body.preview } };
    case 'check.finished':
      return {
        key: body.step,
        step: {
          kind: 'check',
          endedAt: at,
          isError: !body.result.ok,
          preview: body.result.detail,
          input: body.result.check,
        },
      };
    default:
      return undefined;
  }
};

const update = (steps: Map<string, LiveStep>, key: string, change: Partial<LiveStep>): void => {
  steps.set(key, { ...(steps.get(key) ?? EMPTY_STEP), ...change });
};

const applyText = (steps: Map<string, LiveStep>, delta: TextDelta): string => {
  const key = rowKey(delta.step);
  const before = delta.snapshot ? '' : (steps.get(key)?.text ?? '');
  update(steps, key, { kind: 'model', text: `${before}${delta.text}`.slice(-MAX_TEXT) });
  return key;
};

/** Applies frames in their order. Events that were seen before are ignored; a missing one sets `gap`. */
export const applyFrames = (before: LiveRun, frames: readonly RunFrame[]): LiveRun => {
  const steps = new Map(before.steps);
  let { lastSeq, gap, status, reason, money, current } = before;
  for (const frame of frames) {
    if (frame.event === 'text') {
      current = applyText(steps, frame.data);
      continue;
    }
    const event = frame.data;
    if (event.seq <= lastSeq) continue;
    if (event.seq > lastSeq + 1) gap = true;
    lastSeq = event.seq;
    const { body } = event;
    if (body.type === 'run.state') ({ status, reason } = body);
    else if (body.type === 'money') money = { limit: body.limit, spent: body.spent, held: body.held };
    else if (body.type === 'model.retry') {
      const key = rowKey(body.step);
      const retries = [
        ...(steps.get(key)?.retries ?? []),
        { attempt: body.attempt, code: body.code, message: body.message, delayMs: body.delayMs },
      ];
      // The next attempt writes it anew.
      update(steps, key, { retries, text: '' });
    } else {
      const change = toChange(event);
      if (change === undefined) continue;
      const key = rowKey(change.key);
      update(steps, key, change.step);
      if (change.step.startedAt !== undefined) current = key;
    }
  }
  return { lastSeq, gap, status, reason, money, steps, current };
};
