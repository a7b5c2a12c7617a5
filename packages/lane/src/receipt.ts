import {
  TaskOutcome,
  toMoney,
  type ArchiveResult,
  type CheckResult,
  type Receipt,
  type RunDetail,
  type Task,
  type Verification,
} from '@cloutagent/contract';
import { hashOf } from '@cloutagent/engine';
import { newId } from '@cloutagent/kit';
import type { LaneDeps } from './deps.ts';

/** What an archive is about to do, and who does it. */
export type ReceiptDraft = ArchiveResult & {
  readonly tasks: readonly Task[];
  readonly title: string;
  /** Name of the caller; never a token. */
  readonly by: string;
};

/** What the runs of a change prove, as the object that is written beside the archived change. */
export const makeReceipt = async (
  deps: Pick<LaneDeps, 'journal' | 'projectId' | 'clock'>,
  draft: ReceiptDraft,
): Promise<Receipt> => {
  const runs = await deps.journal.receiptRuns(deps.projectId, draft.slug);
  const spent = (simulated: boolean): number =>
    runs.reduce((sum, { run }) => sum + (run.simulated === simulated ? run.money.spent.nanoUsd : 0), 0);
  const { slug, title, archivedAt, archivedAs, by, specs, totals } = draft;
  const receipt: Omit<Receipt, 'hash'> = {
    format: 1,
    id: newId('rcp', deps.clock),
    slug,
    title,
    archivedAt,
    archivedAs,
    by,
    ledger: 'consulted',
    specs,
    totals,
    tasks: draft.tasks.map((task) => ({ id: task.id, title: task.title, done: task.done, ...proofOf(task, runs) })),
    runs: runs.map(runOf),
    cost: { billed: toMoney(spent(false)), simulated: toMoney(spent(true)) },
  };
  return { ...receipt, hash: hashOf(receipt) };
};

interface Proof {
  readonly verification: Verification | null;
  readonly evidence: CheckResult[];
  readonly runId: string | null;
}

/** The last run that ticked the task. An id is only a place in the list, so the title must be the same too. */
export const proofOf = (task: Task, runs: readonly RunDetail[]): Proof => {
  if (!task.done) return { verification: null, evidence: [], runId: null };
  for (const { run, steps } of runs.toReversed()) {
    if (!run.tasks.some(({ id, title }) => id === task.id && title === task.title)) continue;
    const row = steps.find((step) => step.kind === 'task' && step.name === task.id);
    const outcome = TaskOutcome.safeParse(row?.output).data;
    if (outcome?.ticked === true) {
      return { verification: outcome.verification, evidence: outcome.evidence, runId: run.id };
    }
  }
  return { verification: 'by-hand', evidence: [], runId: null };
};

const runOf = ({ run, steps }: RunDetail): Receipt['runs'][number] => ({
  id: run.id,
  status: run.status,
  model: run.model,
  simulated: run.simulated,
  startedAt: run.createdAt,
  finishedAt: run.finishedAt,
  documentHash: run.documentHash,
  modelCalls: run.counts.modelCalls,
  toolCalls: steps
    .filter((step) => step.kind === 'tool')
    .map(({ key, name, isError }) => ({ step: key, name, ok: !isError })),
  usage: run.usage,
  cost: run.money.spent,
  unknownOutcomes: run.counts.unknownOutcomes,
});
