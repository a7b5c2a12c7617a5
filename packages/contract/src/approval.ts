import * as z from 'zod';
import { pageOf } from './page.ts';

/**
 * `node`: of a workflow. `tool`: a call that its policy holds back. `unknown-effect`: a call that a crash cut off.
 * `elicitation`: an MCP server asks in the middle of a call (`ElicitationRequest`).
 */
export const ApprovalKind = z.enum(['node', 'tool', 'unknown-effect', 'claude-code', 'elicitation']);
export type ApprovalKind = z.infer<typeof ApprovalKind>;

/** `approved` covers edited ones: `edited` then holds what goes on instead. */
export const ApprovalStatus = z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']);
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

/** What a run asks a person. It is bound to exactly these arguments by their digest. */
export const Approval = z.object({
  id: z.string(),
  runId: z.string(),
  /** Place of the step that waits. */
  step: z.string(),
  kind: ApprovalKind,
  title: z.string(),
  /** What would be done: the text of a node, or the tool and its arguments. */
  request: z.unknown(),
  /** SHA-256 of kind, step and request: whoever decides names what was shown. */
  digest: z.string(),
  status: ApprovalStatus,
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  /** What goes on instead of the request, where it was edited. */
  edited: z.unknown(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  decidedAt: z.string().nullable(),
});
export interface Approval extends z.infer<typeof Approval> {}

export const ApprovalPage = pageOf(Approval);

export const ApprovalDecision = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  /** Of what was looked at; another one is refused. */
  digest: z.string().max(100),
  reason: z.string().max(10_000).optional(),
  /** Goes on instead of the request; only with `approve`. */
  edited: z.unknown().optional(),
});
export type ApprovalDecision = z.infer<typeof ApprovalDecision>;

/** A question that a unit writes; the store adds the times. */
export interface NewApproval {
  readonly id: string;
  readonly step: string;
  readonly kind: ApprovalKind;
  readonly title: string;
  readonly request: unknown;
  readonly digest: string;
  /** Milliseconds since 1970, UTC. */
  readonly expiresAt: number | null;
}

/** Body of the signal of a decided approval. */
export interface ApprovalAnswer {
  readonly decision: 'approve' | 'deny';
  readonly by: string;
  readonly reason: string | null;
  readonly edited: unknown;
}

/** Topic under which the decision of an approval is signalled. */
export const approvalTopic = (id: string): string => `approval:${id}`;
