import type { RunEventBody, RunEvent } from './event.ts';
import type { NewApproval } from './approval.ts';
import type { RunDocument, RunReason, RunWait, StepRow } from './run.ts';
import type { Usage } from './usage.ts';
import type { WorkflowRunDocument } from './workflow.ts';

/**
 * Money of one attempt at a model call: `reserve` before it is sent, `settle` once. A reservation counts on every level of
 * its run that holds for its step, and in the periods in which it was made.
 * `known` = priced from the answer's usage; `unknown` = nobody knows what was billed, so the bound is booked and flagged
 * (or what was proven of it); `released` = certainly not billed.
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
    }
  | {
      /** The call has begun: from here on it costs `boundNanoUsd` at most, whatever happens to us. */
      readonly op: 'proven';
      readonly id: string;
      readonly boundNanoUsd: number;
      readonly usage: Usage;
      readonly requestId: string | null;
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

/**
 * What is committed together, durable on return: all of it or none. A unit that settles money ends with one more event,
 * `money`, which shows what the run has spent and holds then.
 */
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
  /** Limit of the run's own budget; null = only the other levels hold. */
  readonly limitNanoUsd: number | null;
  /** Name of who started it. */
  readonly startedBy?: string;
  /** Rows of another run that this one begins with: a fork does not do them again, and does not pay for them. */
  readonly seeded?: readonly StepRow[];
}

/**
 * The right to drive a run. `fence` grows with every claim; a unit with an older one is refused with `FENCED`.
 * Claiming settles the reservations that earlier drivers left open as `unknown`, at their bound or what was proven of it, in
 * the same unit.
 */
export interface Claim {
  readonly runId: string;
  readonly fence: number;
  readonly run: NewRun;
  readonly steps: readonly StepRow[];
  /** Tool calls that were begun and have no row. */
  readonly openIntents: readonly Intent[];
}

/** What a commit did: the stored events with their `seq`. */
export interface Committed {
  readonly events: readonly RunEvent[];
}
