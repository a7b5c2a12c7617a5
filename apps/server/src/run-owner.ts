import { setMaxListeners } from 'node:events';
import { CloutError, codeOf, type Run, type RunEvent, type TextDelta } from '@cloutagent/contract';
import { CANCELLED, openDispatch, type Dispatch, type DriveControl } from '@cloutagent/engine';
import { Hub, type Clock } from '@cloutagent/kit';
import type { Store } from '@cloutagent/store';
import { LiveTexts, type LiveText } from './live-text.ts';
import type { Log } from './log.ts';
import { WakeUps } from './wake-ups.ts';

/** How a run is driven: until it ends, pauses, waits, or the signal is aborted. */
export type Drive = (
  runId: string,
  options: DriveControl & {
    readonly signal: AbortSignal;
    readonly unknown: 'repeat' | 'skip' | undefined;
    readonly onText: (delta: TextDelta) => void;
    readonly onEvents: (events: readonly RunEvent[]) => void;
  },
) => Promise<unknown>;

interface LiveRun {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** What others may call; absent until the run is open, and for runs of changes. */
  handle: { readonly wake: () => void; readonly pause: () => void } | undefined;
  /** It was asked to pause. */
  pausing: boolean;
  /** It has written that it pauses, waits or ends, or is about to, and will be gone in a moment. */
  leaving: boolean;
  /** How to drive it again once it is gone. */
  next: { readonly unknown: 'repeat' | 'skip' | undefined } | undefined;
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', CANCELLED]);

export interface OwnerOptions {
  readonly projectId: string;
  /** Runs that are driven at once; the rest queue. */
  readonly concurrent: number;
  readonly clock: Clock;
}

/** Drives the runs of this process, at most so many at once, and tells readers when there is something new. */
export class RunOwner {
  readonly #store: Store;
  readonly #drive: Drive;
  readonly #log: Log;
  readonly #projectId: string;
  readonly #dispatch: Dispatch;
  readonly #wakeUps: WakeUps;
  readonly #live = new Map<string, LiveRun>();
  readonly #texts = new LiveTexts();
  readonly #hub = new Hub<void>();
  #stopping = false;

  constructor(store: Store, drive: Drive, log: Log, options: OwnerOptions) {
    this.#store = store;
    this.#drive = drive;
    this.#log = log;
    this.#projectId = options.projectId;
    // One project for now, so that its share is everything.
    this.#dispatch = openDispatch({ total: options.concurrent, perProject: options.concurrent });
    this.#wakeUps = new WakeUps(store, options.clock, (runId) => this.#wake(runId), log);
  }

  isLive(runId: string): boolean {
    return this.#live.has(runId) || this.#dispatch.position(runId) !== undefined;
  }

  /**
   * Begins to drive a run, or queues it; nothing happens where it is driven or queued already. A drive that is about to
   * leave is followed by another. Errors: SHUTTING_DOWN.
   */
  begin(runId: string, unknown?: 'repeat' | 'skip'): void {
    if (this.#stopping) throw new CloutError('SHUTTING_DOWN', 'The server is stopping', { retryAfter: 1 });
    const live = this.#live.get(runId);
    if (live === undefined) this.#submit(runId, unknown);
    else if (live.leaving && !live.controller.signal.aborted) live.next = { unknown };
  }

  #submit(runId: string, unknown: 'repeat' | 'skip' | undefined): void {
    this.#dispatch.submit({ runId, projectId: this.#projectId, drive: () => this.#start(runId, unknown) });
  }

  #start(runId: string, unknown: 'repeat' | 'skip' | undefined): Promise<void> {
    const controller = new AbortController();
    // Every call that is under way listens; Node would take more than ten for a leak.
    setMaxListeners(0, controller.signal);
    const done = this.#drive(runId, {
      signal: controller.signal,
      unknown,
      onText: (delta) => this.#onText(delta),
      onEvents: (events) => this.#onEvents(runId, events),
      onOpen: (handle) => {
        const live = this.#live.get(runId);
        if (live !== undefined) live.handle = handle;
      },
      keepGoing: () => {
        const live = this.#live.get(runId);
        if (live === undefined) return false;
        live.leaving = true;
        return live.next !== undefined;
      },
    })
      .then(
        () => undefined,
        (error: unknown) => {
          if (!controller.signal.aborted)
            this.#log('error', 'run stopped unexpectedly', { error, code: codeOf(error), runId });
        },
      )
      .finally(() => {
        const next = this.#live.get(runId)?.next;
        this.#live.delete(runId);
        this.#texts.forget(runId);
        if (next !== undefined && !this.#stopping) this.#submit(runId, next.unknown);
        this.#hub.publish(runId, undefined);
        // It may wait for a time now, or for something that has come meanwhile.
        if (!this.#stopping) void this.#wakeUps.look();
      });
    this.#live.set(runId, { controller, done, handle: undefined, pausing: false, leaving: false, next: undefined });
    return done;
  }

  /** Something that a run waits for has come. */
  signalled(runId: string): void {
    this.changed(runId);
    this.#wake(runId);
  }

  /** Something was written for a run that its readers want to know. */
  changed(runId: string): void {
    this.#hub.publish(runId, undefined);
  }

  #wake(runId: string): void {
    if (this.#stopping) return;
    const live = this.#live.get(runId);
    // A run that is about to leave may have looked too early.
    if (live !== undefined && !live.leaving) live.handle?.wake();
    else this.begin(runId);
  }

  /** Wakes the runs that could go on while no process was there, and from now on those whose time comes. */
  async wakeWaiting(): Promise<void> {
    await this.#wakeUps.look();
  }

  /** Lets the steps that are being done finish, then pauses. Errors: RUN_NOT_RESUMABLE where nothing is driven. */
  pause(runId: string): void {
    const live = this.#live.get(runId);
    if (live?.handle === undefined) {
      throw new CloutError('RUN_NOT_RESUMABLE', `Run ${runId} is not being driven, so that it cannot be paused`, {
        hint: 'clout runs cancel RUN stops any run; one that waits or is paused does nothing by itself',
      });
    }
    live.next = undefined;
    live.pausing = true;
    live.handle.pause();
  }

  /**
   * Goes on with a run. A pause that is not written yet is taken back, one that is being written is waited for, so that
   * whoever was told that the run goes on can rely on it, also after a crash.
   */
  async resume(runId: string, unknown?: 'repeat' | 'skip'): Promise<void> {
    if (this.#stopping) throw new CloutError('SHUTTING_DOWN', 'The server is stopping', { retryAfter: 1 });
    const live = this.#live.get(runId);
    if (live !== undefined && !live.leaving) {
      if (live.pausing) live.next = { unknown };
      return;
    }
    await live?.done;
    await this.#store.markRunning(runId);
    this.begin(runId, unknown);
  }

  /** Stops a run for good: aborts the running call, settles its money. Whatever happens now, it ends as cancelled. */
  async cancel(runId: string): Promise<void> {
    this.#dispatch.withdraw(runId);
    const live = this.#live.get(runId);
    if (live !== undefined) {
      live.next = undefined;
      live.controller.abort(CANCELLED);
    }
    try {
      await this.#store.requestCancel(runId);
    } catch (error) {
      // It has ended in this very moment, perhaps as cancelled.
      if (codeOf(error) !== 'RUN_NOT_RESUMABLE') throw error;
    }
    await live?.done;
    // A drive that failed, or was paused when the signal came, has not written it.
    if (!ENDED.has((await this.#store.run(runId)).run.status)) await cancelRun(this.#store, runId);
    this.#hub.publish(runId, undefined);
  }

  /** Stops driving, and drives nothing any more; every run can be resumed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeUps.close();
    const runs = [...this.#live.values()];
    for (const run of runs) run.controller.abort('stopping');
    await Promise.all(runs.map((run) => run.done));
  }

  /** The run as callers see it: `running` is what is driven here; what is not is queued or `interrupted`. */
  present(run: Run): Run {
    const live = this.#live.get(run.id);
    if (live === undefined && this.#dispatch.position(run.id) !== undefined) {
      return run.status === 'cancelling' ? run : { ...run, status: 'queued', reason: null };
    }
    if (run.status === 'running' && live === undefined) return { ...run, status: 'interrupted' };
    // It was taken up again a moment ago and has not written so yet.
    const resting = run.status === 'paused' || run.status === 'waiting';
    if (resting && live !== undefined && (!live.leaving || live.next !== undefined))
      return { ...run, status: 'running', reason: null };
    return run;
  }

  liveTexts(runId: string): readonly LiveText[] {
    return this.#texts.of(runId);
  }

  /** Calls back whenever a run has new events, new text, or is no longer driven. */
  watch(runId: string, wake: () => void): () => void {
    return this.#hub.subscribe(runId, wake);
  }

  #onText(delta: TextDelta): void {
    this.#texts.add(delta);
    this.#hub.publish(delta.runId, undefined);
  }

  #onEvents(runId: string, events: readonly RunEvent[]): void {
    const live = this.#live.get(runId);
    for (const { body } of events) {
      if (body.type === 'run.state' && live !== undefined) live.leaving = body.status !== 'running';
      if (body.type === 'model.started') this.#texts.begin(runId, body.step, body.attempt);
      if (body.type === 'model.finished' || body.type === 'model.retry') this.#texts.forget(runId, body.step);
    }
    this.#hub.publish(runId, undefined);
  }
}

/** Ends a run that nobody drives as cancelled. */
export const cancelRun = async (store: Store, runId: string): Promise<void> => {
  const claim = await store.claim(runId);
  await store.commit(claim, {
    events: [{ type: 'run.state', status: 'cancelled', reason: null }],
    state: { status: 'cancelled', reason: null },
  });
};

/** Refuses what cannot be continued; a finished run is no error, there is just nothing to do. */
export const requireResumable = (run: Run): void => {
  if (run.status === 'failed' || run.status === 'cancelled' || run.status === 'cancelling') {
    throw new CloutError('RUN_NOT_RESUMABLE', `Run ${run.id} is ${run.status}`, {
      hint:
        run.kind === 'change'
          ? `Start a new run, which continues with the open tasks: clout run ${run.slug}`
          : `Go on from one of its steps: clout runs fork ${run.id} --from STEP`,
    });
  }
};
