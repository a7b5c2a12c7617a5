import type { RunEventBody, RunEvent } from './event.ts';
import type { NewApproval } from './approval.ts';
import type { RunDocument, RunReason, RunWait, StepRow } from './run.ts';
import type { Usage } from './usage.ts';
import type { WorkflowRunDocument } from './workflow.ts';

/** A budget that a reservation must fit: `project` for all runs of a project, `run` for one. */
export interface BudgetLevel {
  readonly scope: 'project' | 'run';
  readonly id: string;
}

export interface Budget extends BudgetLevel {
  /** null: recorded but not limited. */
  readonly limitNanoUsd: number | null;
  readonly spentNanoUsd: number;
  readonly heldNanoUsd: number;
}

/**
 * Money of one attempt at a model call: `reserve` before it is sent, `settle` once.
 * `known` = priced from the answer's usage; `unknown` = nobody knows what was billed, so the bound is booked and flagged;
 * `released` = certainly not billed.
 */
export type MoneyOp =
  | {
      readonly op: 'reserve';
      readonly id: string;
      readonly stepKey: string;
      readonly attempt: number;
      readonly model: string;
      readonly priceId: string;
      readonly amountNanoUsd: number;
      readonly levels: readonly BudgetLevel[];
    }
  | {
      readonly op: 'settle';
      readonly id: string;
      readonly outcome: 'known' | 'unknown' | 'released';
      readonly amountNanoUsd: number;
      readonly usage: Usage | null;
      readonly requestId: string | null;
    };

/** A tool call that is about to be made; without a step row after a crash its effect is unknown. */
export interface Intent {
  readonly key: string;
  readonly inputHash: string;
  /** May it be made again without asking: read-only or idempotent by annotation. */
  readonly repeatable: boolean;
  readonly name: string;
}

/** What is committed together, durable on return: all of it or none. */
export interface Unit {
  readonly steps?: readonly StepRow[];
  readonly intents?: readonly Intent[];
  readonly events?: readonly RunEventBody[];
  readonly money?: readonly MoneyOp[];
  readonly approvals?: readonly NewApproval[];
  /** Ids of approvals that nobody decided in time; one that was decided meanwhile refuses the unit with SIGNALLED. */
  readonly expired?: readonly string[];
  /** Topics of which none may have been signalled: the unit is refused with SIGNALLED where one has. */
  readonly unless?: readonly string[];
  readonly state?: {
    readonly status: 'running' | 'waiting' | 'paused' | 'completed' | 'failed' | 'cancelled';
    readonly reason: RunReason | null;
    /** Of `waiting`: what for. Their topics are looked at again in the same unit, as those of `unless`. */
    readonly waits?: readonly RunWait[];
  };
}

/** Something that a run may wait for. Of one run and topic the first is kept; whether it was waited for already is all one. */
export interface Signal {
  readonly runId: string;
  readonly topic: string;
  readonly id: string;
  readonly body: unknown;
}

/** A change's tasks or a workflow, pinned by its hash. */
export type PinnedDocument = RunDocument | WorkflowRunDocument;

export interface NewRun {
  readonly id: string;
  readonly projectId: string;
  readonly document: PinnedDocument;
  readonly documentHash: string;
  readonly simulated: boolean;
  /** Limit of the run's own budget; null = only the project's budget holds. */
  readonly limitNanoUsd: number | null;
  /** Rows of another run that this one begins with: a fork does not do them again, and does not pay for them. */
  readonly seeded?: readonly StepRow[];
}

/**
 * The right to drive a run. `fence` grows with every claim; a unit with an older one is refused with `FENCED`.
 * Claiming settles the reservations that earlier drivers left open as `unknown` at their bound, in the same unit.
 */
export interface Claim {
  readonly runId: string;
  readonly fence: number;
  readonly run: NewRun;
  readonly steps: readonly StepRow[];
  /** Tool calls that were begun and have no row. */
  readonly openIntents: readonly Intent[];
}

/** What a commit did: the stored events with their `seq`, and the run's money afterwards. */
export interface Committed {
  readonly events: readonly RunEvent[];
}

/** Details of a `BUDGET_EXHAUSTED` error. */
export interface BudgetShortage {
  readonly scope: 'project' | 'run';
  readonly id: string;
  readonly limitNanoUsd: number;
  readonly spentNanoUsd: number;
  readonly heldNanoUsd: number;
  readonly neededNanoUsd: number;
}
