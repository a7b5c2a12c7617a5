import { type Approval, type ApprovalDecision, type Claim, type NewApproval, type Page } from '@cloutagent/contract';
import { type Guarded } from './ask.ts';
import type { Writer } from './writer.ts';
export declare const insertApproval: ({ runId, run }: Claim, approval: NewApproval, now: number) => Guarded;
/** Refused where somebody decided in the last moment: then that holds. */
export declare const expireApproval: (runId: string, id: string, now: number) => Guarded;
/** Throws APPROVAL_NOT_FOUND. */
export declare const readApproval: (writer: Writer, id: string) => Promise<Approval>;
export interface ApprovalsQuery {
  readonly projectId: string;
  readonly runId?: string;
  readonly pending?: boolean;
  readonly limit: number;
  readonly offset: number;
}
/** Newest first. */
export declare const readApprovals: (writer: Writer, query: ApprovalsQuery) => Promise<Page<Approval>>;
/**
 * Decides once: the row, the signal that the run waits for and the event are one unit.
 * Throws APPROVAL_NOT_FOUND, APPROVAL_DECIDED, APPROVAL_EXPIRED, APPROVAL_CHANGED (another digest), RUN_NOT_RESUMABLE.
 */
export declare const decideApproval: (
  writer: Writer,
  id: string,
  decision: ApprovalDecision & {
    readonly by: string;
  },
  now: number,
) => Promise<Approval>;
