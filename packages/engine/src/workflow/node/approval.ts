import { approvalTopic, CloutError, type ApprovalAnswer, type ApprovalNode, type StepRow } from '@cloutagent/contract';
import { fillTemplate, newId, toIso } from '@cloutagent/kit';
import type * as z from 'zod';
import type { NodeResult, NodeWork } from '../context.ts';
import { hashOf } from '../hash.ts';

type Asking = z.infer<typeof ApprovalNode>;

interface Asked {
  readonly approval: string;
  readonly expiresAt: number | null;
}

/** Asks a person, and gives what was approved: the input, or what it was edited to. */
export const runApprovalNode = async (work: NodeWork<Asking>): Promise<NodeResult> => {
  const { key, drive, input, context } = work;
  const asked = await ask(work);
  const result = await context.run.waits.wait(drive, `${key}/answer`, {
    topic: approvalTopic(asked.approval),
    until: asked.expiresAt,
    approval: asked.approval,
  });
  if (result.kind === 'time') throw new CloutError('APPROVAL_EXPIRED', 'Nobody decided in time');
  // Written by the store when somebody decided.
  const { decision, by, reason, edited } = result.body as ApprovalAnswer;
  if (decision === 'deny') {
    throw new CloutError('APPROVAL_DENIED', `${by} denied it${reason === null ? '' : `: ${reason}`}`);
  }
  if (edited === null || edited === undefined) return { output: input };
  return { output: typeof edited === 'string' ? edited : JSON.stringify(edited) };
};

/** Question, its row and its event are one unit, so that nobody is asked twice after a crash. */
const ask = async ({ node, key, drive, input, valueOf }: NodeWork<Asking>): Promise<Asked> => {
  const step = `${key}/ask`;
  const title = node.data.label ?? node.id;
  const message = node.data.message === undefined ? title : fillTemplate(node.data.message, valueOf);
  const request = { message, text: input };
  const inputHash = hashOf({ kind: 'node', step, request });
  const done = drive.finished(step, inputHash);
  // Written below.
  if (done !== undefined) return done.output as Asked;
  const startedAt = drive.clock.now();
  const expiresMs = node.data.expiresMs ?? node.timeoutMs;
  const expiresAt = expiresMs === undefined ? null : startedAt + expiresMs;
  const approval = newId('apr', drive.clock);
  const asked: Asked = { approval, expiresAt };
  const row: StepRow = {
    key: step,
    kind: 'approval',
    name: title,
    inputHash,
    input: request,
    output: asked,
    isError: false,
    usage: null,
    costNanoUsd: 0,
    startedAt,
    endedAt: startedAt,
  };
  await drive.commit({
    steps: [row],
    approvals: [{ id: approval, step, kind: 'node', title, request, digest: inputHash, expiresAt }],
    events: [
      {
        type: 'approval.requested',
        approval,
        step,
        kind: 'node',
        title,
        expiresAt: expiresAt === null ? null : toIso(expiresAt),
      },
    ],
  });
  return asked;
};
