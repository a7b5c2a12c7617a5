import {
  toMoney,
  type LedgerRow,
  type Page,
  type PinnedDocument,
  type Run,
  type RunDetail,
  type RunEvent,
  type RunEventBody,
  type RunKind,
} from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { read, type Guarded } from './ask.ts';
import { runNotFound } from './claim.ts';
import type { Row } from './libsql.ts';
import { int, intOrNull, json, text, textOrNull, usage } from './rows.ts';
import { runStatements, toRuns } from './run-view.ts';
import { toWait } from './signal.ts';
import { STEP_COLUMNS } from './sheet.ts';
import { toStep } from './step.ts';
import type { Writer } from './writer.ts';

/** Events of one answer, whatever the caller asks: a reader comes again with the last `seq`. */
const MAX_EVENTS = 1_000;

/** Characters of events of one answer; the last event may go beyond. What a reader has not taken yet lies in memory meanwhile. */
const MAX_EVENT_CHARS = 256 * 1024;

/** Runs of one page; the API allows 200. */
const MAX_PAGE = 200;

export interface RunsQuery {
  readonly projectId: string;
  readonly slug?: string;
  readonly limit: number;
  readonly offset: number;
}

/** Newest first. `nextPageToken` is the next offset. */
export const readRunsPage = async (writer: Writer, query: RunsQuery): Promise<Page<Run>> => {
  const pageSize = Math.max(1, Math.min(query.limit, MAX_PAGE));
  const where = query.slug === undefined ? 'WHERE project_id = ?' : 'WHERE project_id = ? AND slug = ?';
  const params = query.slug === undefined ? [query.projectId] : [query.projectId, query.slug];
  const chosen = {
    sql: `${where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
    params: [...params, pageSize, query.offset],
  };
  const answers = await read(writer, [
    ...runStatements(chosen),
    { sql: `SELECT count(*) AS total FROM run ${where}`, params },
  ]);
  const count = answers.at(-1)?.rows[0];
  const total = count === undefined ? 0 : int(count, 'total');
  const next = query.offset + pageSize;
  return {
    page: Math.floor(query.offset / pageSize) + 1,
    pageSize,
    total,
    nextPageToken: next < total ? String(next) : null,
    items: toRuns(answers.map((answer) => answer.rows)),
  };
};

export const readLedger = async (writer: Writer, runId: string): Promise<readonly LedgerRow[]> => {
  const answers = await read(writer, [runExists(runId), ledgerStatement(runId)]);
  return (answers.at(-1)?.rows ?? []).map(toLedgerRow);
};

/** Stored events with `seq > after`, in order: at least one where there is any. Throws RUN_NOT_FOUND. */
export const readEvents = async (
  writer: Writer,
  runId: string,
  after: number,
  limit: number,
): Promise<readonly RunEvent[]> => {
  const answers = await read(writer, [
    runExists(runId),
    {
      // One by one, so that what is not given is not read either; `CROSS` keeps the order of the joins.
      sql: `WITH RECURSIVE page (seq, size) AS (
              SELECT ?, 0
              UNION ALL
              SELECT event.seq, page.size + length(event.body) FROM page CROSS JOIN event ON event.run_id = ? AND event.seq =
                (SELECT min(seq) FROM event WHERE run_id = ? AND seq > page.seq)
              WHERE page.size < ? LIMIT ?
            )
            SELECT event.seq, at, body FROM page CROSS JOIN event ON event.run_id = ? AND event.seq = page.seq
            WHERE page.seq > ? ORDER BY page.seq`,
      // The first row of the page is where it begins.
      params: [after, runId, runId, MAX_EVENT_CHARS, 1 + Math.max(0, Math.min(limit, MAX_EVENTS)), runId, after],
    },
  ]);
  return (answers.at(-1)?.rows ?? []).map((row) => ({
    seq: int(row, 'seq'),
    runId,
    at: int(row, 'at'),
    // Written from a RunEventBody.
    body: json(row, 'body') as RunEventBody,
  }));
};

/** Which steps a detail carries: all of them, or those that a receipt names. */
export type StepSelection = 'all' | 'receipt';

const STEPS: Readonly<Record<StepSelection, string>> = {
  all: `SELECT ${STEP_COLUMNS} FROM step WHERE run_id = ? ORDER BY place`,
  receipt: `SELECT ${STEP_COLUMNS} FROM step WHERE run_id = ? AND kind IN ('task', 'tool') ORDER BY place`,
};

/** Throws RUN_NOT_FOUND. */
export const readDetail = async (writer: Writer, runId: string, steps: StepSelection): Promise<RunDetail> => {
  const answers = await read(writer, [
    ...runStatements({ sql: 'WHERE id = ?', params: [runId] }),
    { sql: STEPS[steps], params: [runId] },
    ledgerStatement(runId),
    { sql: 'SELECT key, topic, until_at FROM wait WHERE run_id = ? ORDER BY key', params: [runId] },
    { sql: 'SELECT coalesce(max(seq), 0) AS seq FROM event WHERE run_id = ?', params: [runId] },
  ]);
  const [run] = toRuns(answers.map((answer) => answer.rows));
  if (run === undefined) throw runNotFound(runId);
  const [stepRows = [], ledgerRows = [], waitRows = [], seqRows = []] = answers.slice(-4).map((answer) => answer.rows);
  return {
    run,
    steps: stepRows.map((row) => toStep(row)),
    ledger: ledgerRows.map(toLedgerRow),
    waits: waitRows.map(toWait),
    lastSeq: seqRows[0] === undefined ? 0 : int(seqRows[0], 'seq'),
  };
};

/** Every run of a change, oldest first, one at a time so that only one of them is in memory twice. */
export const readReceiptRuns = async (
  writer: Writer,
  projectId: string,
  slug: string,
): Promise<readonly RunDetail[]> => {
  const answers = await read(writer, [
    { sql: 'SELECT id FROM run WHERE project_id = ? AND slug = ? ORDER BY created_at, id', params: [projectId, slug] },
  ]);
  const details: RunDetail[] = [];
  for (const row of answers[0]?.rows ?? []) details.push(await readDetail(writer, text(row, 'id'), 'receipt'));
  return details;
};

const runExists = (runId: string): Guarded => ({
  sql: 'SELECT 1 FROM run WHERE id = ?',
  params: [runId],
  expectChanges: 1,
  refuse: () => runNotFound(runId),
});

const ledgerStatement = (runId: string): Guarded => ({
  sql: `SELECT id, step_key, attempt, model, price_id, r.amount_nano AS reserved_nano, created_at, outcome,
          s.amount_nano AS amount_nano, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
          output_tokens, web_searches, traits, request_id, settled_at
        FROM reservation r LEFT JOIN settlement s ON s.reservation_id = r.id WHERE r.run_id = ? ORDER BY place`,
  params: [runId],
});

const toLedgerRow = (row: Row): LedgerRow => {
  const reserved = int(row, 'reserved_nano');
  const settledAt = intOrNull(row, 'settled_at');
  return {
    id: text(row, 'id'),
    stepKey: text(row, 'step_key'),
    attempt: int(row, 'attempt'),
    model: text(row, 'model'),
    priceId: text(row, 'price_id'),
    // The constraint of the column holds the other three.
    outcome: (textOrNull(row, 'outcome') ?? 'held') as LedgerRow['outcome'],
    reserved: toMoney(reserved),
    amount: toMoney(intOrNull(row, 'amount_nano') ?? reserved),
    usage: intOrNull(row, 'input_tokens') === null ? null : usage(row),
    requestId: textOrNull(row, 'request_id'),
    createdAt: toIso(int(row, 'created_at')),
    settledAt: settledAt === null ? null : toIso(settledAt),
  };
};

/** Throws RUN_NOT_FOUND. */
export const readDocument = async (writer: Writer, runId: string): Promise<PinnedDocument> => {
  const answers = await read(writer, [{ sql: 'SELECT document FROM run WHERE id = ?', params: [runId] }]);
  const [row] = answers[0]?.rows ?? [];
  if (row === undefined) throw runNotFound(runId);
  // Written verbatim from a document.
  return json(row, 'document') as PinnedDocument;
};

/** Throws RUN_NOT_FOUND. */
export const readKind = async (
  writer: Writer,
  runId: string,
): Promise<{ readonly kind: RunKind; readonly status: Run['status'] }> => {
  const answers = await read(writer, [{ sql: 'SELECT kind, status FROM run WHERE id = ?', params: [runId] }]);
  const [row] = answers[0]?.rows ?? [];
  if (row === undefined) throw runNotFound(runId);
  // The constraints of the columns hold these.
  return { kind: text(row, 'kind') as RunKind, status: text(row, 'status') as Run['status'] };
};
