import {
  approvalTopic,
  CloutError,
  type Approval,
  type ApprovalAnswer,
  type ApprovalDecision,
  type NewApproval,
  type Page,
} from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { read, write, type Guarded } from './ask.ts';
import { appendEvent } from './event.ts';
import type { Row } from './libsql.ts';
import { int, intOrNull, json, text, textOrNull, toJson } from './rows.ts';
import { insertSignal, touchRun } from './signal.ts';
import type { RunRef } from './unit.ts';
import type { Writer } from './writer.ts';

export const insertApproval = ({ runId, projectId }: RunRef, approval: NewApproval, now: number): Guarded => ({
  sql: `INSERT INTO approval (id, run_id, project_id, step_key, kind, title, request, digest, status, created_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
  params: [
    approval.id,
    runId,
    projectId,
    approval.step,
    approval.kind,
    toJson(approval.title),
    toJson(approval.request),
    approval.digest,
    now,
    approval.expiresAt,
  ],
});

/** Refused where somebody decided in the last moment: then that holds. */
export const expireApproval = (runId: string, id: string, now: number): Guarded => ({
  sql: `UPDATE approval SET status = 'expired', decided_at = ? WHERE run_id = ? AND id = ? AND status = 'pending'`,
  params: [now, runId, id],
  expectChanges: 1,
  refuse: () => new CloutError('SIGNALLED', `Approval ${id} was decided already`, { details: { approval: id } }),
});

const COLUMNS = `id, run_id, step_key, kind, title, request, digest, status, decided_by, reason, edited, created_at, expires_at, decided_at`;

const iso = (ms: number | null): string | null => (ms === null ? null : toIso(ms));

const toApproval = (row: Row): Approval => ({
  id: text(row, 'id'),
  runId: text(row, 'run_id'),
  step: text(row, 'step_key'),
  // Written from an ApprovalKind; the constraint of the column holds the statuses.
  kind: text(row, 'kind') as Approval['kind'],
  title: json(row, 'title') as string,
  request: json(row, 'request'),
  digest: text(row, 'digest'),
  status: text(row, 'status') as Approval['status'],
  decidedBy: textOrNull(row, 'decided_by') === null ? null : (json(row, 'decided_by') as string),
  reason: textOrNull(row, 'reason') === null ? null : (json(row, 'reason') as string),
  edited: textOrNull(row, 'edited') === null ? null : json(row, 'edited'),
  createdAt: toIso(int(row, 'created_at')),
  expiresAt: iso(intOrNull(row, 'expires_at')),
  decidedAt: iso(intOrNull(row, 'decided_at')),
});

const notFound = (id: string): CloutError => new CloutError('APPROVAL_NOT_FOUND', `There is no approval ${id}`);

/** Throws APPROVAL_NOT_FOUND. */
export const readApproval = async (writer: Writer, id: string): Promise<Approval> => {
  const answers = await read(writer, [{ sql: `SELECT ${COLUMNS} FROM approval WHERE id = ?`, params: [id] }]);
  const [row] = answers[0]?.rows ?? [];
  if (row === undefined) throw notFound(id);
  return toApproval(row);
};

export interface ApprovalsQuery {
  readonly projectId: string;
  readonly runId?: string;
  readonly pending?: boolean;
  readonly limit: number;
  readonly offset: number;
}

/** Newest first. */
export const readApprovals = async (writer: Writer, query: ApprovalsQuery): Promise<Page<Approval>> => {
  const where = `project_id = ?${query.runId === undefined ? '' : ' AND run_id = ?'}${query.pending === true ? ` AND status = 'pending'` : ''}`;
  const params = [query.projectId, ...(query.runId === undefined ? [] : [query.runId])];
  const answers = await read(writer, [
    {
      sql: `SELECT ${COLUMNS} FROM approval WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      params: [...params, query.limit, query.offset],
    },
    { sql: `SELECT count(*) AS total FROM approval WHERE ${where}`, params },
  ]);
  const [count] = answers[1]?.rows ?? [];
  const total = count === undefined ? 0 : int(count, 'total');
  const next = query.offset + query.limit;
  return {
    page: Math.floor(query.offset / query.limit) + 1,
    pageSize: query.limit,
    total,
    nextPageToken: next < total ? String(next) : null,
    items: (answers[0]?.rows ?? []).map(toApproval),
  };
};

/**
 * Decides once: the row, the signal that the run waits for and the event are one unit.
 * Throws APPROVAL_NOT_FOUND, APPROVAL_DECIDED, APPROVAL_EXPIRED, APPROVAL_CHANGED (another digest), RUN_NOT_RESUMABLE.
 */
export const decideApproval = async (
  writer: Writer,
  id: string,
  decision: ApprovalDecision & { readonly by: string },
  now: number,
): Promise<Approval> => {
  const before = await readApproval(writer, id);
  const { runId, step } = before;
  const status = decision.decision === 'approve' ? 'approved' : 'denied';
  const { by, digest } = decision;
  const reason = decision.reason ?? null;
  const edited = decision.edited ?? null;
  const answer: ApprovalAnswer = { decision: decision.decision, by, reason, edited };
  await write(writer, [
    {
      sql: `UPDATE approval SET status = ?, decided_by = ?, reason = ?, edited = ?, decided_at = ?
            WHERE id = ? AND status = 'pending' AND digest = ? AND (expires_at IS NULL OR expires_at > ?)`,
      params: [
        status,
        toJson(by),
        reason === null ? null : toJson(reason),
        edited === null ? null : toJson(edited),
        now,
        id,
        digest,
        now,
      ],
      expectChanges: 1,
      explain: { sql: `SELECT ${COLUMNS} FROM approval WHERE id = ?`, params: [id] },
      refuse: ([row]) => (row === undefined ? notFound(id) : refusal(toApproval(row), digest)),
    },
    touchRun(runId, now),
    insertSignal({ runId, topic: approvalTopic(id), id, body: answer }, now),
    appendEvent(runId, { type: 'approval.decided', approval: id, step, status, by, reason }, now),
  ]);
  return readApproval(writer, id);
};

const refusal = (approval: Approval, digest: string): CloutError => {
  const { id, status, decidedBy } = approval;
  const details = { approval: id, status, decidedBy };
  if (status === 'expired') return new CloutError('APPROVAL_EXPIRED', `Approval ${id} has expired`, { details });
  if (status !== 'pending') {
    const by = decidedBy === null ? '' : ` by ${decidedBy}`;
    return new CloutError('APPROVAL_DECIDED', `Approval ${id} was ${status} already${by}`, { details });
  }
  if (approval.digest !== digest) {
    return new CloutError('APPROVAL_CHANGED', `Approval ${id} asks for something else than what you decided about`, {
      details,
    });
  }
  return new CloutError('APPROVAL_EXPIRED', `Approval ${id} has expired`, { details });
};
