import { CloutError, type Claim, type Intent, type PinnedDocument, type StepRow } from '@cloutagent/contract';
import { defect, write, type Guarded } from './ask.ts';
import type { Answer, Row } from './libsql.ts';
import { settleOpen } from './money.ts';
import { int, intOrNull, json, text, UNFINISHED } from './rows.ts';
import { STEP_COLUMNS } from './sheet.ts';
import { toStep } from './step.ts';
import type { Writer } from './writer.ts';

export const runNotFound = (runId: string): CloutError => new CloutError('RUN_NOT_FOUND', `There is no run ${runId}`);

export const runFinished = (runId: string, status: string): CloutError =>
  new CloutError('RUN_NOT_RESUMABLE', `Run ${runId} is ${status} and takes nothing more`);

/** Takes a run over. Throws RUN_NOT_FOUND, and RUN_NOT_RESUMABLE for one that is finished. */
export const claimRun = async (writer: Writer, runId: string, now: number): Promise<Claim> => {
  const statements: readonly Guarded[] = [
    {
      // Neither gives the row nor names the status, which takes an index or two: together that is three times as dear.
      sql: `UPDATE run SET fence = fence + 1, updated_at = ? WHERE id = ? AND ${UNFINISHED}`,
      params: [now, runId],
      expectChanges: 1,
      forgets: { runId },
      explain: { sql: 'SELECT status FROM run WHERE id = ?', params: [runId] },
      refuse: ([row]) => (row === undefined ? runNotFound(runId) : runFinished(runId, text(row, 'status'))),
    },
    { sql: `UPDATE run SET status = 'running' WHERE id = ? AND status = 'waiting'`, params: [runId] },
    {
      sql: 'SELECT fence, project_id, document, document_hash, simulated, started_by FROM run WHERE id = ?',
      params: [runId],
    },
    settleOpen(runId, now),
    { sql: 'DELETE FROM wait WHERE run_id = ?', params: [runId] },
    { sql: `SELECT limit_nano FROM budget WHERE scope = 'run' AND id = ? AND slot = ''`, params: [runId] },
    {
      sql: `SELECT key, input_hash, repeatable, name FROM intent
            WHERE run_id = ? AND NOT EXISTS (SELECT 1 FROM step WHERE step.run_id = intent.run_id AND step.key = intent.key)
            ORDER BY created_at, key`,
      params: [runId],
    },
    { sql: `SELECT ${STEP_COLUMNS} FROM step WHERE run_id = ? ORDER BY place`, params: [runId] },
  ];
  const answers = await write(writer, statements);
  const [run] = rowsAt(answers, 2);
  if (run === undefined) throw defect('a claim gave no run');
  const [budget] = rowsAt(answers, -3);
  return {
    runId,
    fence: int(run, 'fence'),
    run: {
      id: runId,
      projectId: text(run, 'project_id'),
      // Written verbatim from a document and pinned by its hash, so that it is not parsed again.
      document: json(run, 'document') as PinnedDocument,
      documentHash: text(run, 'document_hash'),
      simulated: int(run, 'simulated') === 1,
      limitNanoUsd: budget === undefined ? null : intOrNull(budget, 'limit_nano'),
      ...(text(run, 'started_by') === '' ? {} : { startedBy: text(run, 'started_by') }),
    },
    openIntents: rowsAt(answers, -2).map(toIntent),
    steps: rowsAt(answers, -1).map((row): StepRow => toStep(row)),
  };
};

const rowsAt = (answers: readonly Answer[], index: number): readonly Row[] => answers.at(index)?.rows ?? [];

const toIntent = (row: Row): Intent => ({
  key: text(row, 'key'),
  inputHash: text(row, 'input_hash'),
  repeatable: int(row, 'repeatable') === 1,
  // Written from a string.
  name: json(row, 'name') as string,
});
