import { type Claim, type RunWait, type Signal } from '@cloutagent/contract';
import { type Guarded } from './ask.ts';
import type { Row } from './libsql.ts';
import type { Writer } from './writer.ts';
/** The run must not have this signal, or the unit is refused: who then waits would wait for ever. */
export declare const unlessSignalled: (runId: string, topic: string) => Guarded;
export declare const waitStatements: ({ runId, run }: Claim, wait: RunWait) => readonly Guarded[];
/** Nobody can answer a run that is over. */
export declare const closeStatements: (runId: string, now: number) => readonly Guarded[];
/** Refuses what comes for a run that is over, and holds the run's row for the rest of the unit. */
export declare const touchRun: (runId: string, now: number) => Guarded;
export declare const insertSignal: (signal: Signal, now: number) => Guarded;
/** Stored before or after somebody waits; of one topic the first stays. Says whether this is the one that is stored. */
export declare const storeSignal: (writer: Writer, signal: Signal, now: number) => Promise<boolean>;
/** All that a run was signalled, oldest first. */
export declare const readSignals: (writer: Writer, runId: string) => Promise<readonly Signal[]>;
export declare const toWait: (row: Row) => RunWait;
/** What the owner of the runs needs to know to wake them: which can go on now, and when the next one can. */
export interface Due {
  /** Waiting runs whose time has come or whose signal is there. */
  readonly ready: readonly string[];
  /** Milliseconds since 1970; null where nothing waits for a time. */
  readonly next: number | null;
}
export declare const readDue: (writer: Writer, now: number) => Promise<Due>;
/** Promises that the run ends as cancelled. Gives its status before. Throws RUN_NOT_FOUND, RUN_NOT_RESUMABLE. */
export declare const requestCancel: (writer: Writer, runId: string, now: number) => Promise<void>;
/** A paused run that was told to go on is one that is driven, also after a crash. */
export declare const markRunning: (writer: Writer, runId: string, now: number) => Promise<void>;
