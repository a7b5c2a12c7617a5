import type { Clock } from '@cloutagent/kit';
import type { Store } from '@cloutagent/store';
import type { Log } from './log.ts';

/** A clock that was set, or a machine that slept, is noticed within this time. */
const TICK_MS = 1_000;

/**
 * Wakes runs that wait, as soon as their time has come. One timer for all of them, and none while nothing waits for a time:
 * a tick compares two numbers and asks the database nothing.
 */
export class WakeUps {
  readonly #store: Pick<Store, 'due'>;
  readonly #clock: Clock;
  readonly #wake: (runId: string) => void;
  readonly #log: Log;
  #next: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(store: Pick<Store, 'due'>, clock: Clock, wake: (runId: string) => void, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#wake = wake;
    this.#log = log;
  }

  /** Wakes what can go on now, and looks when the next one can. Many calls at once are one look more. */
  async look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      await this.#looking;
      return;
    }
    this.#looking = this.#lookNow();
    try {
      await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #lookNow(): Promise<void> {
    do {
      this.#again = false;
      try {
        const { ready, next } = await this.#store.due();
        if (this.#closed) return;
        this.#arm(next);
        for (const runId of ready) this.#wake(runId);
      } catch (error) {
        if (this.#closed) return;
        this.#log('error', 'waiting runs could not be looked at', { error });
        this.#arm(this.#clock.now() + TICK_MS);
      }
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by other calls while this one waited
    } while (this.#again);
  }

  close(): void {
    this.#closed = true;
    this.#arm(null);
  }

  #arm(next: number | null): void {
    this.#next = next;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (next === null) return;
    const left = next - this.#clock.now();
    this.#timer = setTimeout(() => this.#tick(), Math.min(Math.max(0, left), TICK_MS));
    // What only waits does not keep the process.
    this.#timer.unref();
  }

  #tick(): void {
    const next = this.#next;
    if (next !== null && this.#clock.now() >= next) void this.look();
    else this.#arm(next);
  }
}
