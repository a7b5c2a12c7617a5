import type { Outcome, SqlUnit, WorkerOptions } from './unit.ts';
/** The thread that owns the database connection, as the rest of the process sees it. */
export interface Writer {
  /** Rejects where the unit failed (STORAGE_*, INTERNAL_ERROR); a guard that is not met is an outcome. */
  submit(unit: SqlUnit): Promise<
    Exclude<
      Outcome,
      {
        kind: 'failed';
      }
    >
  >;
  /** Finishes what was submitted, then closes the database. */
  close(): Promise<void>;
  /** Ends the thread at once, as a crash would; what was not answered is rejected. */
  kill(): Promise<void>;
}
/** Starts the thread; resolves when the database is open and migrated. Throws STORAGE_*. */
export declare const openWriter: (options: WorkerOptions, workerUrl?: URL) => Promise<Writer>;
