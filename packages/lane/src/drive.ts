import {
  CloutError,
  codeOf,
  ERRORS,
  toErrorBody,
  type Claim,
  type ErrorCode,
  type RunDocument,
  type RunReason,
  type RunStatus,
  type RunWait,
  type TaskOutcome,
  type Unit,
} from '@cloutagent/contract';
import { CANCELLED, hashOf, levelsOf, openDrive, priceFor, type Drive, type DriveDeps } from '@cloutagent/engine';
import { toIso } from '@cloutagent/kit';
import type { LaneDeps } from './deps.ts';
import { taskKey, workTask, type DocumentTask, type TaskEnd, type TaskWork } from './task.ts';
import { guardTools } from './guard.ts';
import { runTools, prefixOf } from './tools.ts';
import { assertUnchanged, tasksNow } from './unchanged.ts';

export type DriveOptions = Pick<DriveDeps, 'signal' | 'unknown' | 'onText' | 'onEvents'>;

/** Reasons that a person can remove, after which the run goes on where it was. */
const PAUSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BUDGET_EXHAUSTED',
  'EFFECT_UNKNOWN',
  'MODEL_UNAVAILABLE',
  'MODEL_RATE_LIMITED',
  'MODEL_ACCOUNT_LIMIT',
  'MODEL_KEY_MISSING',
  'MCP_CONNECTION_FAILED',
  'NOT_TRUSTED',
  'CHANGE_LOCKED',
  'STORAGE_FULL',
  'STORAGE_READONLY',
  'STORAGE_BUSY',
]);

/** Errors after which nothing can or may be written to the run any more. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FENCED',
  'RUN_NOT_FOUND',
  'RUN_NOT_RESUMABLE',
  'STORAGE_CORRUPT',
  'STORAGE_FAILED',
  'INTERNAL_ERROR',
]);

/**
 * Drives a run until it is completed, failed or paused, or rests until a time (`waiting`), or the signal is aborted (`interrupted`, or `cancelled` where the
 * reason says so). Finished steps are not repeated. What goes wrong in the work becomes the run's reason.
 * Errors: RUN_NOT_FOUND, RUN_NOT_RESUMABLE, FENCED, STORAGE_*, and defects.
 */
export const driveRun = async (deps: LaneDeps, runId: string, options: DriveOptions): Promise<RunStatus> => {
  const claim = await deps.journal.claim(runId);
  const { journal, clock, random, people } = deps;
  const drive: Drive = {
    ...openDrive(claim, levelsOf({ ...claim.run, slug: claim.run.document.slug }), {
      journal,
      clock,
      random,
      people,
      ...options,
    }),
    // Nothing else is at work in the run of a change, so that it is put away as a whole.
    rest: async (key, until) => {
      if (until > clock.now()) throw new Rest({ key, topic: null, until });
    },
  };
  try {
    await drive.commit(stateUnit('running', null));
    return await workThrough(deps, drive);
  } catch (error) {
    return stopWith(drive, error);
  }
};

/** Unwinds a run that rests until a time. */
class Rest extends Error {
  readonly wait: RunWait;

  constructor(wait: RunWait) {
    super('The run rests');
    this.name = 'Rest';
    this.wait = wait;
  }
}

const stateUnit = (
  status: 'running' | 'waiting' | 'paused' | 'completed' | 'failed' | 'cancelled',
  reason: RunReason | null,
  waits: readonly RunWait[] = [],
): Unit => ({
  events: [{ type: 'run.state', status, reason }],
  state: { status, reason, waits },
});

/** The owner of the runs sends other kinds elsewhere. */
const changeOf = ({ run }: Claim): RunDocument => {
  if (run.document.kind === 'change') return run.document;
  throw new CloutError('INTERNAL_ERROR', `Run ${run.id} is not the run of a change`);
};

const workThrough = async (deps: LaneDeps, drive: Drive): Promise<RunStatus> => {
  const document = changeOf(drive.claim);
  const { documentHash } = drive.claim.run;
  if (hashOf(document) !== documentHash) {
    throw new CloutError('DIVERGED', 'The document of this run is not the one that it was started with');
  }
  const isOpen = (task: DocumentTask): boolean => drive.finished(taskKey(task.id), hashOf(task)) === undefined;
  if (document.tasks.some(isOpen)) await tasksNow(deps, document);
  const work = await openWork(deps, drive, document);
  const announced = await announcedTasks(drive);
  for (const task of document.tasks) {
    // Only a ticked task is recorded while the run goes on; one that stays open ends it in the same unit.
    if (!isOpen(task)) continue;
    assertUnchanged(await tasksNow(deps, document), document.slug, task);
    if (!announced.has(task.id)) {
      await drive.commit({ events: [{ type: 'task.started', taskId: task.id, title: task.title }] });
    }
    const { outcome, code, steps, events } = await workTask(work, task);
    const failed = code === null ? undefined : stateUnit('failed', reasonOfTask(task, outcome, code));
    await drive.commit({ ...failed, steps, events: [...events, ...(failed?.events ?? [])] });
    if (failed !== undefined) return 'failed';
  }
  await drive.commit(stateUnit('completed', null));
  return 'completed';
};

/** What the tasks of a document need: model, tools, and the prefix of their conversations. */
export const openWork = async (deps: LaneDeps, drive: Drive, document: RunDocument): Promise<TaskWork> => {
  const { simulated } = drive.claim.run;
  const { project, protected: others = [] } = deps;
  const tools = guardTools(runTools(await deps.tools()), { ...project, others });
  const port = await deps.model({ simulated });
  const model = {
    port,
    // Asked for each call: a price may change while the run goes on.
    get price() {
      const today = toIso(deps.clock.now()).slice(0, 10);
      return priceFor(deps.prices, document.model, today, deps.config.budget.allowUnpriced);
    },
    prefixes: deps.journal,
    maxTokens: document.maxTokens,
  };
  return { drive, deps, document, model, tools, prefix: prefixOf(document, tools) };
};

/** One page of stored events; the store gives no more at once. */
const EVENT_PAGE = 1000;

/** Tasks whose start an earlier driver announced, so that a reader is told once. */
const announcedTasks = async ({ claim, journal }: Drive): Promise<ReadonlySet<string>> => {
  const announced = new Set<string>();
  if (isFirst(claim)) return announced;
  for (let after = 0; ;) {
    const events = await journal.events(claim.runId, after, EVENT_PAGE);
    for (const { body } of events) if (body.type === 'task.started') announced.add(body.taskId);
    const last = events.at(-1);
    if (last === undefined) return announced;
    after = last.seq;
  }
};

const isFirst = (claim: Claim): boolean => claim.fence === 1;

const reasonOfTask = (task: DocumentTask, { note, evidence }: TaskOutcome, code: TaskEnd['code']): RunReason => {
  const known = code ?? 'TASK_FAILED';
  return {
    code: known,
    message: `Task ${task.id} stays open: ${note}`,
    hint: ERRORS[known].hint,
    details: { taskId: task.id, title: task.title, evidence },
  };
};

/** Turns what ended the work into the state of the run. */
const stopWith = async (drive: Drive, error: unknown): Promise<RunStatus> => {
  const code = codeOf(error);
  if (code === 'FENCED') throw error;
  if (drive.signal.aborted) {
    if (drive.signal.reason !== CANCELLED) return 'interrupted';
    await drive.commit(stateUnit('cancelled', null));
    return 'cancelled';
  }
  if (error instanceof Rest) {
    await drive.commit(stateUnit('waiting', null, [error.wait]));
    return 'waiting';
  }
  if (code === undefined || FATAL.has(code)) throw error;
  const { message, hint, details } = toErrorBody(error);
  const reason: RunReason = {
    code,
    message,
    // A hint that is shown with a run can name it.
    hint: hint.replaceAll(/\bRUN\b/gu, drive.claim.runId),
    ...(details === undefined ? {} : { details }),
  };
  const status = PAUSING.has(code) ? 'paused' : 'failed';
  await drive.commit(stateUnit(status, reason));
  return status;
};
