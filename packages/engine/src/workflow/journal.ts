import type { Budget, BudgetLevel, Claim, Committed, LimitedLevel, NewRun, RunEvent, Unit } from '@cloutagent/contract';

/**
 * What a backend must keep (contract/journal.ts has the nouns). Everything is durable on return; a failed unit leaves
 * no trace. Errors: FENCED, BUDGET_EXHAUSTED (details: BudgetShortage), DIVERGED (a key twice with another input hash),
 * RUN_NOT_FOUND, RUN_EXISTS (another run of the same change is not finished).
 */
export interface Journal {
  start(run: NewRun, levels: readonly LimitedLevel[]): Promise<void>;
  claim(runId: string): Promise<Claim>;
  commit(claim: Claim, unit: Unit): Promise<Committed>;
  /** Stored events with `seq > after`, in order, at most `limit`; fewer also where they are large, none only at the end. */
  events(runId: string, after: number, limit: number): Promise<readonly RunEvent[]>;
  budgets(levels: readonly BudgetLevel[]): Promise<readonly Budget[]>;
}
