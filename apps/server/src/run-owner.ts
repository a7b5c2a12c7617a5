import { CloutError, codeOf, type Run, type RunEvent, type TextDelta } from '@cloutagent/contract';
import { Hub } from '@cloutagent/kit';
import { CANCELLED } from '@cloutagent/lane';
import type { Store } from '@cloutagent/store';
import type { Log } from './log.ts';

/** How a run is driven: until it ends, pauses, or the signal is aborted. */
export type Drive = (
  runId: string,
  options: {
    readonly signal: AbortSignal;
    readonly unknown: 'repeat' | 'skip' | undefined;
    readonly onText: (delta: TextDelta) => void;
    readonly onEvents: (events: readonly RunEvent[]) => void;
  },
) => Promise<unknown>;

/** Text of the model call that is streaming now; readers keep an offset into it. */
export interface LiveText {
  readonly step: string;
  readonly text: string;
}

interface LiveRun {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** It has written that it pauses or ends, and is about to be gone. */
  leaving: boolean;
  /** How to drive it again once it is gone. */
  next: { readonly unknown: 'repeat' | 'skip' | undefined } | undefined;
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', CANCELLED]);

/**
 * Text of one call that is kept for readers that join late. A model's answer is bounded by its `max_tokens`
 * (128,000 tokens, about four bytes each), so this is a guard, not a limit that is met.
 */
const MAX_TEXT = 1_000_000;

/** Drives the runs of this process and tells readers when there is something new. */
export class RunOwner {
  readonly #store: Store;
  readonly #drive: Drive;
  readonly #log: Log;
  readonly #live = new Map<string, LiveRun>();
  readonly #text = new Map<string, LiveText>();
  readonly #hub = new Hub<void>();
  #stopping = false;

  constructor(store: Store, drive: Drive, log: Log) {
    this.#store = store;
    this.#drive = drive;
    this.#log = log;
  }

  isLive(runId: string): boolean {
    return this.#live.has(runId);
  }

  /**
   * Begins to drive a run; nothing happens where it is driven already. A drive that is about to leave is followed by
   * another. Errors: SHUTTING_DOWN.
   */
  begin(runId: string, unknown?: 'repeat' | 'skip'): void {
    if (this.#stopping) throw new CloutError('SHUTTING_DOWN', 'The server is stopping', { retryAfter: 1 });
    const live = this.#live.get(runId);
    if (live === undefined) this.#start(runId, unknown);
    else if (live.leaving && !live.controller.signal.aborted) live.next = { unknown };
  }

  #start(runId: string, unknown: 'repeat' | 'skip' | undefined): void {
    const controller = new AbortController();
    const done = this.#drive(runId, {
      signal: controller.signal,
      unknown,
      onText: (delta) => this.#onText(delta),
      onEvents: (events) => this.#onEvents(runId, events),
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
        this.#text.delete(runId);
        if (next !== undefined && !this.#stopping) this.#start(runId, next.unknown);
        this.#hub.publish(runId, undefined);
      });
    this.#live.set(runId, { controller, done, leaving: false, next: undefined });
  }

  /** Stops a run for good: aborts the running call, settles its money. */
  async cancel(runId: string): Promise<void> {
    const live = this.#live.get(runId);
    if (live !== undefined) {
      live.next = undefined;
      live.controller.abort(CANCELLED);
      await live.done;
      // A drive that failed, or was paused when the signal came, has not written it.
      if (ENDED.has((await this.#store.run(runId)).run.status)) return;
    }
    const claim = await this.#store.claim(runId);
    await this.#store.commit(claim, {
      events: [{ type: 'run.state', status: 'cancelled', reason: null }],
      state: { status: 'cancelled', reason: null },
    });
    this.#hub.publish(runId, undefined);
  }

  /** Stops driving, and drives nothing any more; every run can be resumed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const runs = [...this.#live.values()];
    for (const run of runs) run.controller.abort('stopping');
    await Promise.all(runs.map((run) => run.done));
  }

  /** The run as callers see it: `running` is what is driven here; what is not is `interrupted`. */
  present(run: Run): Run {
    const live = this.#live.get(run.id);
    if (run.status === 'running' && live === undefined) return { ...run, status: 'interrupted' };
    // It was taken up again a moment ago and has not written so yet.
    if (run.status === 'paused' && live !== undefined && (!live.leaving || live.next !== undefined))
      return { ...run, status: 'running', reason: null };
    return run;
  }

  liveText(runId: string): LiveText | undefined {
    return this.#text.get(runId);
  }

  /** Calls back whenever a run has new events, new text, or is no longer driven. */
  watch(runId: string, wake: () => void): () => void {
    return this.#hub.subscribe(runId, wake);
  }

  #onText(delta: TextDelta): void {
    const before = this.#text.get(delta.runId);
    const text = delta.snapshot || before?.step !== delta.step ? delta.text : before.text + delta.text;
    this.#text.set(delta.runId, { step: delta.step, text: text.slice(0, MAX_TEXT) });
    this.#hub.publish(delta.runId, undefined);
  }

  #onEvents(runId: string, events: readonly RunEvent[]): void {
    const live = this.#live.get(runId);
    for (const { body } of events) {
      if (body.type === 'run.state' && live !== undefined) live.leaving = body.status !== 'running';
    }
    if (events.some((event) => event.body.type === 'model.finished' || event.body.type === 'model.started'))
      this.#text.delete(runId);
    this.#hub.publish(runId, undefined);
  }
}

/** Refuses what cannot be continued; a finished run is no error, there is just nothing to do. */
export const requireResumable = (run: Run): void => {
  if (run.status === 'failed' || run.status === 'cancelled') {
    throw new CloutError('RUN_NOT_RESUMABLE', `Run ${run.id} is ${run.status}`, {
      hint: `Start a new run, which continues with the open tasks: clout run ${run.slug}`,
    });
  }
};
