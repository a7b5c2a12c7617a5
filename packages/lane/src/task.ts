import {
  CloutError,
  type CheckResult,
  type ErrorCode,
  type RunDocument,
  type RunEventBody,
  type StepRow,
  type TaskOutcome,
} from '@cloutagent/contract';
import {
  hashOf,
  openConversation,
  runAgent,
  withUser,
  type Drive,
  type ModelUse,
  type Prefix,
  type ToolPort,
} from '@cloutagent/engine';
import { tickTask } from '@cloutagent/openspec';
import { runCheck } from './checks.ts';
import type { LaneDeps } from './deps.ts';
import { checkText, retryPrompt } from './prompt.ts';

export type DocumentTask = RunDocument['tasks'][number];

/** What the tasks of one run share. */
export interface TaskWork {
  readonly drive: Drive;
  readonly deps: LaneDeps;
  readonly document: RunDocument;
  readonly model: ModelUse;
  readonly tools: ToolPort;
  readonly prefix: Prefix;
}

/** How a task ended, with the rows and events that record it; the caller commits them with what follows from it. */
export interface TaskEnd {
  readonly outcome: TaskOutcome;
  /** Why it stays open; null where it is ticked. */
  readonly code: ErrorCode | null;
  readonly steps: readonly StepRow[];
  readonly events: readonly RunEventBody[];
}

/** The agent's closing words in an outcome: a few sentences, not a report. */
const MAX_NOTE = 2000;

export const taskKey = (id: string): string => `task[${id}]`;

/**
 * Works on one task until its checks hold or its attempts are used up, and ticks it. The checks are ours, not the model's:
 * its word counts only for a task that has none, and not where one of its tools failed and did not succeed later or it says nothing at all.
 * Errors: NOT_TRUSTED before anything is spent, those of the agent's steps, those of ticking.
 */
export const workTask = async (work: TaskWork, task: DocumentTask): Promise<TaskEnd> => {
  const { drive, deps } = work;
  const startedAt = drive.clock.now();
  const verdict = await judge(work, task);
  const { code, ...outcome } = verdict;
  const judgedAt = drive.clock.now();
  if (code === null) await tickTask(deps.project, work.document.slug, task);
  const endedAt = drive.clock.now();
  const key = taskKey(task.id);
  const row = { inputHash: hashOf(task), isError: false, usage: null, costNanoUsd: 0, startedAt, endedAt } as const;
  const tick: StepRow = {
    ...row,
    key: `${key}/tick`,
    kind: 'tick',
    name: task.id,
    input: { taskId: task.id },
    output: null,
    startedAt: judgedAt,
  };
  const end: StepRow = {
    ...row,
    key,
    kind: 'task',
    name: task.id,
    input: { title: task.title },
    output: outcome,
    isError: code !== null,
  };
  return {
    outcome,
    code,
    steps: code === null ? [tick, end] : [end],
    events: [{ type: 'task.finished', outcome }],
  };
};

type Verdict = TaskOutcome & { readonly code: ErrorCode | null };

const judge = async (work: TaskWork, task: DocumentTask): Promise<Verdict> => {
  const { drive, deps, document } = work;
  const stays = (code: ErrorCode, note: string, attempts: number, evidence: CheckResult[]): Verdict => ({
    taskId: task.id,
    ticked: false,
    verification: null,
    attempts,
    evidence,
    note: note.slice(0, MAX_NOTE),
    code,
  });
  if (task.unreadableChecks.length > 0) {
    return stays('TASK_FAILED', `A check cannot be read: ${task.unreadableChecks.join('; ')}`, 0, []);
  }
  if (!deps.trusted && task.checks.some((check) => check.kind === 'run')) {
    throw new CloutError(
      'NOT_TRUSTED',
      `A check of task ${task.id} runs a command, and this folder is not trusted to`,
      {
        details: { taskId: task.id },
      },
    );
  }
  let conversation = withUser(openConversation(work.prefix), task.prompt);
  let evidence: CheckResult[] = [];
  for (let attempt = 0; attempt < document.maxAttempts; attempt += 1) {
    const prefix = `${taskKey(task.id)}/try[${attempt}]`;
    const { maxIterations } = document;
    const end = await runAgent(drive, work.model, work.tools, {
      prefix,
      conversation,
      maxIterations,
      // The next turn sends all of it again, as does an attempt after failed checks; the next task its beginning.
      cache: 'conversation',
    });
    const attempts = attempt + 1;
    if (end.failure !== null) {
      const said = end.text === '' ? '' : `. Its last words: ${end.text}`;
      return stays(end.failure.code, `${end.failure.message}${said}`, attempts, evidence);
    }
    if (task.checks.length === 0 && end.failedTools.length > 0) {
      return stays(
        'TASK_FAILED',
        `A tool failed and did not succeed later: ${end.failedTools.join(', ')}. ${end.text}`,
        attempts,
        [],
      );
    }
    if (task.checks.length === 0 && end.answer.trim() === '') {
      return stays(
        'TASK_FAILED',
        'The agent ended without a word, and nothing else says that it is done',
        attempts,
        [],
      );
    }
    evidence = await runChecks(work, task, prefix);
    const failed = evidence.filter((result) => !result.ok);
    if (failed.length === 0) {
      const verification = task.checks.length === 0 ? 'unverified' : 'checked';
      const note = end.text.slice(0, MAX_NOTE);
      return { taskId: task.id, ticked: true, verification, attempts, evidence, note, code: null };
    }
    conversation = withUser(end.conversation, retryPrompt(failed));
  }
  const failed = evidence.filter((result) => !result.ok).map(({ check, detail }) => `${checkText(check)}: ${detail}`);
  return stays(
    'TASK_FAILED',
    `Checks do not hold after ${document.maxAttempts} attempts: ${failed.join('; ')}`,
    document.maxAttempts,
    evidence,
  );
};

/** Each check is a step, so that a run that was cut off decides on what it saw then. */
const runChecks = async ({ drive, deps }: TaskWork, task: DocumentTask, prefix: string): Promise<CheckResult[]> => {
  const results: CheckResult[] = [];
  for (const [index, check] of task.checks.entries()) {
    const key = `${prefix}/check[${index}]`;
    const inputHash = hashOf(check);
    const done = drive.finished(key, inputHash);
    if (done !== undefined) {
      // As it was written below.
      results.push(done.output as CheckResult);
      continue;
    }
    const startedAt = drive.clock.now();
    const { root } = deps.project;
    const { trusted, runCommand } = deps;
    const result = await runCheck(check, { root, trusted, runCommand, signal: drive.signal });
    // A command that was stopped with us says nothing.
    drive.signal.throwIfAborted();
    const row: StepRow = {
      key,
      kind: 'check',
      name: checkText(check),
      inputHash,
      input: check,
      output: result,
      isError: !result.ok,
      usage: null,
      costNanoUsd: 0,
      startedAt,
      endedAt: drive.clock.now(),
    };
    await drive.commit({ steps: [row], events: [{ type: 'check.finished', step: key, result }] });
    results.push(result);
  }
  return results;
};
