import { type Claim, type Committed, type Unit } from '@cloutagent/contract';
import type { Writer } from './writer.ts';
/**
 * Commits a unit of a run. Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE (the run is finished), BUDGET_EXHAUSTED
 * (details: BudgetShortage), DIVERGED, SIGNALLED, RUN_CANCELLING.
 */
export declare const commitUnit: (writer: Writer, claim: Claim, unit: Unit, now: number) => Promise<Committed>;
