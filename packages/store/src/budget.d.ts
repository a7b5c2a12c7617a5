import { type Budget, type BudgetLevel } from '@cloutagent/contract';
import { type Guarded } from './ask.ts';
import type { Writer } from './writer.ts';
/** Creates a budget; one that exists stays as it is. */
export declare const ensureBudgetStatement: (level: BudgetLevel, limitNanoUsd: number | null) => Guarded;
/** In the order asked; a level that nobody made is unlimited and unspent. */
export declare const readBudgets: (writer: Writer, levels: readonly BudgetLevel[]) => Promise<readonly Budget[]>;
/** Below what is spent and held it only refuses new reservations. Throws RUN_NOT_FOUND for the budget of no run. */
export declare const writeLimit: (writer: Writer, level: BudgetLevel, limitNanoUsd: number | null) => Promise<Budget>;
