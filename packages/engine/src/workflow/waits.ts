import { codeOf, type RunWait, type Signal, type StepRow } from '@cloutagent/contract';
import type { Activity } from './activity.ts';
import type { Drive } from './drive.ts';
import { Halt } from './halt.ts';
import { hashOf } from './hash.ts';

/** What a run may wait for is kept beside the journal, before or after it waits. */
export interface SignalPort {
  signals(runId: string): Promise<readonly Signal[]>;
}

/** What a wait gave: the body of the signal, or that the time came first. */
export type WaitResult = { readonly kind: 'signal'; readonly body: unknown } | { readonly kind: 'time' };

export interface WaitRequest {
  readonly topic: string | null;
  /** Milliseconds since 1970, UTC. */
  readonly until: number | null;
  /** Approval that expires with the time. */
  readonly approval?: string;
}

interface Waiter {
  readonly wait: RunWait;
  wake(): void;
  drop(): void;
}

/**
 * The waits of one driven run. A wait that is over is a row like any other step; one that is not costs a few words of
 * memory while other branches are at work, and nothing at all once the run is put away.
 */
export class Waits {
  readonly #drive: Drive;
  readonly #port: SignalPort;
  readonly #activity: Activity;
  readonly #waiters = new Map<string, Waiter>();
  #signals: ReadonlyMap<string, Signal> = new Map();

  constructor(drive: Drive, port: SignalPort, activity: Activity) {
    this.#drive = drive;
    this.#port = port;
    this.#activity = activity;
  }

  /** Waits for the topic or the time. Throws Halt where the run stops first. */
  async wait(drive: Drive, key: string, request: WaitRequest): Promise<WaitResult> {
    const inputHash = hashOf({ topic: request.topic, until: request.until });
    for (;;) {
      const done = drive.finished(key, inputHash);
      // Written below.
      if (done !== undefined) return done.output as WaitResult;
      const signal = request.topic === null ? undefined : this.#signals.get(request.topic);
      const now = drive.clock.now();
      const startedAt = now;
      const row = (output: WaitResult): StepRow => ({
        key,
        kind: 'wait',
        name: request.topic ?? 'time',
        inputHash,
        input: { topic: request.topic, until: request.until },
        output,
        isError: false,
        usage: null,
        costNanoUsd: 0,
        startedAt,
        endedAt: drive.clock.now(),
      });
      if (signal !== undefined) {
        const output: WaitResult = { kind: 'signal', body: signal.body };
        await drive.commit({ steps: [row(output)] });
        return output;
      }
      if (request.until !== null && request.until <= now) {
        const output: WaitResult = { kind: 'time' };
        const { topic, approval } = request;
        try {
          await drive.commit({
            steps: [row(output)],
            ...(topic === null ? {} : { unless: [topic] }),
            ...(approval === undefined ? {} : { expired: [approval] }),
          });
          return output;
        } catch (error) {
          // Somebody answered in the last moment, and that counts.
          if (codeOf(error) !== 'SIGNALLED') throw error;
          await this.reload();
          continue;
        }
      }
      await this.#activity.outside(() => this.#park(key, { key, topic: request.topic, until: request.until }));
    }
  }

  /** What the run waits for now. */
  list(): readonly RunWait[] {
    return [...this.#waiters.values()].map(({ wait }) => wait);
  }

  /** Reads the signals again and wakes whoever can go on. */
  async reload(): Promise<void> {
    const signals = await this.#port.signals(this.#drive.claim.runId);
    this.#signals = new Map(signals.map((signal) => [signal.topic, signal]));
    const now = this.#drive.clock.now();
    // What is deleted while a map is walked is not met again.
    for (const { wait, wake } of this.#waiters.values()) {
      const signalled = wait.topic !== null && this.#signals.has(wait.topic);
      if (signalled || (wait.until !== null && wait.until <= now)) wake();
    }
  }

  /** Lets go of every wait below a place: what they were for has failed, or the run stops. */
  drop(place: string): void {
    for (const { wait, drop } of this.#waiters.values()) if (wait.key.startsWith(place)) drop();
  }

  #park(key: string, wait: RunWait): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (then: () => void) => (): void => {
        this.#waiters.delete(key);
        then();
      };
      this.#waiters.set(key, { wait, wake: over(resolve), drop: over(() => reject(new Halt())) });
    });
  }
}
