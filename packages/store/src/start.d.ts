import { type BudgetLevel, type NewRun, type Run } from '@cloutagent/contract';
import { type Guarded } from './ask.ts';
export type LimitedLevel = BudgetLevel & {
  readonly limitNanoUsd: number | null;
};
/** What a listing needs of a document, so that it does not read all prompts. */
export interface RunSummary {
  readonly title: string;
  readonly model: string;
  /** Tasks of a change, or nodes of a workflow. */
  readonly tasks: readonly {
    readonly id: string;
    readonly title: string;
  }[];
  readonly forkedFrom?: Run['forkedFrom'];
}
/** A new run in state `running` with its budget levels. A level that exists keeps its limit. */
export declare const startStatements: (run: NewRun, levels: readonly LimitedLevel[], now: number) => readonly Guarded[];
