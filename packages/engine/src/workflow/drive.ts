import {
  CloutError,
  type BudgetLevel,
  type Claim,
  type RunEvent,
  type StepRow,
  type TextDelta,
  type Unit,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { Journal } from './journal.ts';
import type { PeoplePort } from './people.ts';

/** What a process brings along to drive a run. */
export interface DriveDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** Ends the drive between steps and inside calls. */
  readonly signal: AbortSignal;
  /** What to do with a tool call whose effect is unknown; pause where absent. */
  readonly unknown?: 'repeat' | 'skip' | undefined;
  /** Where absent, servers that ask a person in the middle of a call are told that nobody is there. */
  readonly people?: PeoplePort | undefined;
  onText(delta: TextDelta): void;
  onEvents(events: readonly RunEvent[]): void;
}

/** One process driving one claimed run: finished steps are read, new ones are committed. */
export interface Drive extends DriveDeps {
  readonly claim: Claim;
  /** Beginning of the keys, of a drive below a place; it ends in a slash. */
  readonly place?: string;
  /** The budgets that every call of this run must fit. */
  readonly levels: readonly BudgetLevel[];
  /** The step at this place that an earlier driver finished, or undefined. Throws DIVERGED where its input was another. */
  finished(key: string, inputHash: string): StepRow | undefined;
  /** Makes a unit durable, then tells the readers. */
  commit(unit: Unit): Promise<void>;
  /**
   * Waits until a time (milliseconds since 1970, UTC) for which no process has to stay. Absent where a process that ends
   * takes the work with it.
   */
  rest?(key: string, until: number): Promise<void>;
}

export const openDrive = (claim: Claim, levels: readonly BudgetLevel[], deps: DriveDeps): Drive => {
  const steps = new Map(claim.steps.map((step) => [step.key, step]));
  return {
    ...deps,
    claim,
    levels,
    finished: (key, inputHash) => {
      const step = steps.get(key);
      if (step !== undefined && step.inputHash !== inputHash) {
        throw new CloutError('DIVERGED', `The input of the finished step ${key} has changed since`, {
          details: { step: key, recorded: step.inputHash, now: inputHash },
        });
      }
      return step;
    },
    commit: async (unit) => {
      const { events } = await deps.journal.commit(claim, unit);
      if (events.length > 0) deps.onEvents(events);
    },
  };
};
