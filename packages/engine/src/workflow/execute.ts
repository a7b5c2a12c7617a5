import {
  CloutError,
  codeOf,
  toErrorBody,
  type BudgetLevel,
  type Claim,
  type RunReason,
  type RunStatus,
  type Unit,
  type WorkflowRunDocument,
} from '@cloutagent/contract';
import { Activity } from './activity.ts';
import type { RunContext, WorkflowPorts } from './context.ts';
import { openDrive, type Drive, type DriveDeps } from './drive.ts';
import { isHalt } from './halt.ts';
import { hashOf } from './hash.ts';
import { runScope } from './run-scope.ts';
import { toScope } from './scope.ts';
import { FATAL, PASSING, PAUSING } from './try-node.ts';
import { Waits, type SignalPort } from './waits.ts';

/** Abort reason that ends a run for good; any other leaves it to be resumed. */
export const CANCELLED = 'cancelled';

/** How whoever drives a run speaks to it while it is driven. */
export interface DriveControl {
  /** Called once, with what others may call while the run is driven. */
  onOpen?(handle: {
    /** Looks for signals and times that have come. */
    readonly wake: () => void;
    /** Finishes the steps that are being done, then pauses. */
    readonly pause: () => void;
  }): void;
  /** Asked right before a pause is written: a resume that came meanwhile takes it back. */
  readonly keepGoing?: () => boolean;
}

export interface ExecuteWorkflowOptions
  extends Pick<DriveDeps, 'signal' | 'unknown' | 'onText' | 'onEvents'>, DriveControl {
  readonly levels: (run: Claim['run']) => readonly BudgetLevel[];
}

export interface ExecuteDeps extends Pick<DriveDeps, 'journal' | 'clock' | 'random' | 'people'> {
  readonly signals: SignalPort;
  readonly ports: WorkflowPorts;
}

/** A wait that is over so soon is not worth putting the run away for. */
const HOLD_MS = 2_000;

class PauseRequested extends Error {
  constructor() {
    super('Somebody asked to pause');
    this.name = 'PauseRequested';
  }
}

/**
 * Drives a workflow's run until it is completed, failed, paused, or waits for a person or a time; or the signal is aborted
 * (`interrupted`, or `cancelled` where the reason says so). Finished steps are not repeated.
 * Errors: RUN_NOT_FOUND, RUN_NOT_RESUMABLE, FENCED, STORAGE_*, and defects.
 */
export const executeWorkflow = async (
  deps: ExecuteDeps,
  runId: string,
  options: ExecuteWorkflowOptions,
): Promise<RunStatus> => {
  const { journal, clock, random, people, signals, ports } = deps;
  const claim = await journal.claim(runId);
  const { signal, unknown, onText, onEvents } = options;
  const drive = openDrive(claim, options.levels(claim.run), {
    journal,
    clock,
    random,
    signal,
    unknown,
    people,
    onText: (delta) => onText(delta),
    onEvents: (events) => onEvents(events),
  });
  try {
    const document = workflowOf(claim);
    await drive.commit(stateUnit('running', null));
    return await drivenToEnd(drive, document, signals, ports, options);
  } catch (error) {
    return stopWith(drive, error);
  }
};

const workflowOf = ({ run }: Claim): WorkflowRunDocument => {
  const { document, documentHash, id } = run;
  if (document.kind !== 'workflow') throw new CloutError('INTERNAL_ERROR', `Run ${id} is not the run of a workflow`);
  if (hashOf(document) !== documentHash) {
    throw new CloutError('DIVERGED', 'The document of this run is not the one that it was started with');
  }
  return document;
};

type State = NonNullable<Unit['state']>;

const stateUnit = (status: State['status'], reason: RunReason | null, over: Partial<State> = {}): Unit => ({
  events: [{ type: 'run.state', status, reason }],
  state: { status, reason, ...over },
});

const drivenToEnd = async (
  drive: Drive,
  document: WorkflowRunDocument,
  signals: SignalPort,
  ports: WorkflowPorts,
  options: ExecuteWorkflowOptions,
): Promise<RunStatus> => {
  const run = openRun(drive, document, signals, ports, undefined);
  const { waits, activity } = run;
  const onAbort = (): void => run.stop(drive.signal.reason);
  drive.signal.addEventListener('abort', onAbort, { once: true });
  if (drive.signal.aborted) onAbort();
  let woken = false;
  let wake: () => void = () => undefined;
  options.onOpen?.({
    wake: () => {
      woken = true;
      wake();
    },
    pause: () => run.stop(new PauseRequested()),
  });
  try {
    await waits.reload();
    const whole = topScope(run);
    let over: { readonly error?: unknown } | undefined;
    const ended = whole.then(
      () => (over = {}),
      (error: unknown) => (over = { error }),
    );
    for (;;) {
      const news = new Promise<void>((resolve) => {
        wake = resolve;
        if (woken) resolve();
      });
      await Promise.race([ended, activity.idle(), news]);
      if (over !== undefined) break;
      if (woken) {
        woken = false;
        await waits.reload();
        continue;
      }
      if (await putAway(drive, waits, news)) return 'waiting';
    }
    if (run.stopped() || isHalt(over.error)) throw run.reason();
    if ('error' in over) return await failed(drive, over.error);
    await drive.commit(stateUnit('completed', null));
    return 'completed';
  } catch (error) {
    if (error instanceof PauseRequested) return await paused(drive, options);
    throw error;
  } finally {
    drive.signal.removeEventListener('abort', onAbort);
  }
};

interface OpenRun extends RunContext {
  readonly reason: () => unknown;
}

/** What the nodes of one driven run share. */
export const openRun = (
  drive: Drive,
  document: WorkflowRunDocument,
  signals: SignalPort,
  ports: WorkflowPorts,
  replay: RunContext['replay'],
): OpenRun => {
  const activity = new Activity(document.workflow.concurrency ?? ports.defaults.concurrency);
  const waits = new Waits(drive, signals, activity);
  let stop: { readonly reason: unknown } | undefined;
  return {
    drive,
    document,
    ports,
    activity,
    waits,
    replay,
    stopped: () => stop !== undefined,
    reason: () => stop?.reason ?? new CloutError('INTERNAL_ERROR', 'The run stopped for no reason'),
    stop: (reason) => {
      stop ??= { reason };
      waits.drop('');
    },
  };
};

/** The outermost scope of a run. */
export const topScope = (run: RunContext): Promise<string> => {
  const { workflow, input, variables } = run.document;
  return runScope(
    {
      run,
      scope: toScope(workflow.nodes, workflow.edges),
      prefix: '',
      input,
      variables: { ...workflow.variables, ...variables },
      depth: 0,
      repeated: false,
      workflow,
      halted: () => run.stopped(),
    },
    run.drive,
  );
};

/** Nothing is at work. Writes what the run waits for, unless the wait is over already or will be in a moment. */
const putAway = async (drive: Drive, waits: Waits, news: Promise<void>): Promise<boolean> => {
  const list = waits.list();
  // What idles without waiting has just ended, and says so in a moment.
  if (list.length === 0) {
    await drive.clock.sleep(0);
    return false;
  }
  const due = Math.min(...list.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
  const left = due - drive.clock.now();
  if (left <= HOLD_MS) {
    const timer = new AbortController();
    await Promise.race([drive.clock.sleep(Math.max(0, left), timer.signal).catch(() => undefined), news]);
    timer.abort();
    await waits.reload();
    return false;
  }
  try {
    await drive.commit(stateUnit('waiting', null, { waits: list }));
    return true;
  } catch (error) {
    if (codeOf(error) !== 'SIGNALLED') throw error;
    await waits.reload();
    return false;
  }
};

const paused = async (drive: Drive, options: DriveControl): Promise<RunStatus> => {
  if (options.keepGoing?.() === true) return 'interrupted';
  const reason: RunReason = {
    code: 'PAUSED',
    message: 'Somebody paused this run',
    hint: `Go on: clout runs resume ${drive.claim.runId}`,
  };
  await drive.commit(stateUnit('paused', reason));
  return 'paused';
};

const reasonOf = (drive: Drive, error: unknown): RunReason => {
  const { code, message, hint, details } = toErrorBody(error);
  return {
    code,
    message,
    // A hint that is shown with a run can name it.
    hint: hint.replaceAll(/\bRUN\b/gu, drive.claim.runId),
    ...(details === undefined ? {} : { details }),
  };
};

const failed = async (drive: Drive, error: unknown): Promise<RunStatus> => {
  await drive.commit(stateUnit('failed', reasonOf(drive, error)));
  return 'failed';
};

/** Turns what stopped the work into the state of the run. */
const stopWith = async (drive: Drive, error: unknown): Promise<RunStatus> => {
  const code = codeOf(error);
  if (code === 'FENCED') throw error;
  if (drive.signal.aborted || code === 'RUN_CANCELLING') {
    if (drive.signal.reason !== CANCELLED && code !== 'RUN_CANCELLING') return 'interrupted';
    await drive.commit(stateUnit('cancelled', null));
    return 'cancelled';
  }
  if (code === undefined || (FATAL.has(code) && code !== 'DIVERGED')) throw error;
  if (!PAUSING.has(code) && !PASSING.has(code)) return failed(drive, error);
  await drive.commit(stateUnit('paused', reasonOf(drive, error)));
  return 'paused';
};
