import { codeOf, type BudgetLevel, type BudgetPeriod, type BudgetShortage } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { Store } from '@cloutagent/store';
import type { Log } from '../log.ts';

/** Runs that wait for the same day do not all ask in its first second. */
const JITTER_MS = 30_000;

/** A run that so many new days, weeks or months did not help waits for a person. */
const MAX_RESETS = 10;

/** Timers are bounded, and a clock may be put forward. */
const LONGEST_SLEEP_MS = 3_600_000;

export interface ResumerOptions {
  readonly store: Store;
  readonly projectId: string;
  begin(runId: string): void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

interface Waiting {
  readonly runId: string;
  readonly shortage: BudgetShortage;
}

/** Goes on with runs that are paused for money: at once when their budget is raised, and when a new period begins. */
export class BudgetResumer {
  readonly #options: ResumerOptions;
  readonly #ended = new AbortController();
  readonly #resets = new Map<string, number>();

  constructor(options: ResumerOptions) {
    this.#options = options;
  }

  /** Begins to watch the calendar; what a period that passed meanwhile allows goes on too. */
  open(): void {
    void this.#watch().catch((error: unknown) => {
      if (!this.#ended.signal.aborted)
        this.#options.log('error', 'runs are not resumed by the calendar any more', { error });
    });
  }

  close(): void {
    this.#ended.abort(new Error('closed'));
  }

  /** Ids of the runs that go on because this budget was raised. */
  async raised(level: BudgetLevel, period: BudgetPeriod): Promise<readonly string[]> {
    const runs = (await this.#waiting()).filter(
      ({ shortage }) => shortage.scope === level.scope && shortage.id === level.id && shortage.period === period,
    );
    for (const { runId } of runs) this.#begin(runId);
    return runs.map(({ runId }) => runId);
  }

  async #waiting(): Promise<readonly Waiting[]> {
    const { store, projectId } = this.#options;
    return (await store.pausedForBudget(projectId)).flatMap(({ runId, reason }): Waiting[] => {
      // Written from a RunReason whose details are a BudgetShortage.
      const { details } = reason as { readonly details?: BudgetShortage };
      return details === undefined ? [] : [{ runId, shortage: details }];
    });
  }

  async #watch(): Promise<void> {
    const { store, clock } = this.#options;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const until = store.dayEnd();
      await this.#resume();
      while (clock.now() < until) await clock.sleep(Math.min(LONGEST_SLEEP_MS, until - clock.now() + 1), signal);
    }
  }

  async #resume(): Promise<void> {
    const { store, clock, random, log } = this.#options;
    const slots: readonly string[] = Object.values(store.slots());
    for (const { runId, shortage } of await this.#waiting()) {
      if (shortage.period === 'lifetime' || slots.includes(shortage.slot)) continue;
      const resets = (this.#resets.get(runId) ?? 0) + 1;
      this.#resets.set(runId, resets);
      if (resets > MAX_RESETS) {
        if (resets === MAX_RESETS + 1) log('warn', `run ${runId} is not resumed by the calendar any more`, { runId });
        continue;
      }
      void clock
        .sleep(Math.floor(random() * JITTER_MS), this.#ended.signal)
        .then(() => this.#begin(runId))
        // Closed meanwhile.
        .catch(() => undefined);
    }
  }

  #begin(runId: string): void {
    try {
      this.#options.begin(runId);
    } catch (error) {
      if (codeOf(error) !== 'SHUTTING_DOWN') throw error;
    }
  }
}
