import {
  type LedgerRow,
  type Page,
  type PinnedDocument,
  type Run,
  type RunDetail,
  type RunEvent,
  type RunKind,
} from '@cloutagent/contract';
import type { Writer } from './writer.ts';
export interface RunsQuery {
  readonly projectId: string;
  readonly slug?: string;
  readonly limit: number;
  readonly offset: number;
}
/** Newest first. `nextPageToken` is the next offset. */
export declare const readRunsPage: (writer: Writer, query: RunsQuery) => Promise<Page<Run>>;
export declare const readLedger: (writer: Writer, runId: string) => Promise<readonly LedgerRow[]>;
/** Stored events with `seq > after`, in order. Throws RUN_NOT_FOUND. */
export declare const readEvents: (
  writer: Writer,
  runId: string,
  after: number,
  limit: number,
) => Promise<readonly RunEvent[]>;
/** Which steps a detail carries: all of them, or those that a receipt names. */
export type StepSelection = 'all' | 'receipt';
/** Throws RUN_NOT_FOUND. */
export declare const readDetail: (writer: Writer, runId: string, steps: StepSelection) => Promise<RunDetail>;
/** Every run of a change, oldest first, one at a time so that only one of them is in memory twice. */
export declare const readReceiptRuns: (
  writer: Writer,
  projectId: string,
  slug: string,
) => Promise<readonly RunDetail[]>;
/** Throws RUN_NOT_FOUND. */
export declare const readDocument: (writer: Writer, runId: string) => Promise<PinnedDocument>;
/** Throws RUN_NOT_FOUND. */
export declare const readKind: (
  writer: Writer,
  runId: string,
) => Promise<{
  readonly kind: RunKind;
  readonly status: Run['status'];
}>;
