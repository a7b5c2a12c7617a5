import { type BudgetLevel, type Claim, type MoneyOp } from '@cloutagent/contract';
import { type Guarded } from './ask.ts';
/** Each level once, in one order for everybody, so that the level that refuses is always the same (and row locks can never cross). */
export declare const inLockOrder: <T extends BudgetLevel>(levels: readonly T[]) => readonly T[];
export declare const moneyStatements: (claim: Claim, op: MoneyOp, now: number) => readonly Guarded[];
/**
 * Books every open reservation of a run as `unknown` at its bound: nobody is left who could learn what was billed.
 * Money is moved before the rows are written, since the rows say what is open.
 */
export declare const settleOpenStatements: (runId: string, now: number) => readonly Guarded[];
