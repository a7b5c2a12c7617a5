import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { read, write } from './ask.js';
import { decideApproval, readApproval, readApprovals } from './approval.js';
import { ensureBudgetStatement, readBudgets, writeLimit } from './budget.js';
import { claimRun } from './claim.js';
import { commitUnit } from './commit.js';
import { readDetail, readDocument, readEvents, readKind, readLedger, readReceiptRuns, readRunsPage } from './detail.js';
import { checkInvariants } from './invariants.js';
import { fromFailure, toFailure } from './failure.js';
import { getPrefixTokens, putPrefixTokens } from './prefix-tokens.js';
import { text, UNFINISHED } from './rows.js';
import { markRunning, readDue, readSignals, requestCancel, storeSignal } from './signal.js';
import { startStatements } from './start.js';
import { openWriter } from './writer.js';
/** Opens `store.db` in the data folder and brings it to this version. Throws STORAGE_NEWER, STORAGE_CORRUPT, STORAGE_READONLY. */
export const openStore = async (options) => {
  try {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw fromFailure(toFailure(cause), cause);
  }
  const writer = await openWriter({ file: path.join(options.dir, 'store.db') }, options.workerUrl);
  return createStore(writer, options.clock);
};
/** The store over a connection that is open; closing it closes that. */
export const createStore = (writer, clock) => ({
  start: async (run, levels) => {
    await write(writer, startStatements(run, levels, clock.now()));
  },
  claim: (runId) => claimRun(writer, runId, clock.now()),
  commit: (claim, unit) => commitUnit(writer, claim, unit, clock.now()),
  events: (runId, after, limit) => readEvents(writer, runId, after, limit),
  budgets: (levels) => readBudgets(writer, levels),
  ensureBudget: async (level, limitNanoUsd) => {
    await write(writer, [ensureBudgetStatement(level, limitNanoUsd)]);
  },
  setLimit: (level, limitNanoUsd) => writeLimit(writer, level, limitNanoUsd),
  runs: (query) => readRunsPage(writer, query),
  run: (runId) => readDetail(writer, runId, 'all'),
  signal: (signal) => storeSignal(writer, signal, clock.now()),
  signals: (runId) => readSignals(writer, runId),
  due: () => readDue(writer, clock.now()),
  requestCancel: (runId) => requestCancel(writer, runId, clock.now()),
  markRunning: (runId) => markRunning(writer, runId, clock.now()),
  approvals: (query) => readApprovals(writer, query),
  approval: (id) => readApproval(writer, id),
  decide: (id, decision) => decideApproval(writer, id, decision, clock.now()),
  document: (runId) => readDocument(writer, runId),
  kindOf: (runId) => readKind(writer, runId),
  liveRunOf: async (projectId, slug) => {
    const ids = await readIds(writer, `project_id = ? AND slug = ? AND kind = 'change' AND ${UNFINISHED}`, [
      projectId,
      slug,
    ]);
    return ids[0];
  },
  unfinished: (projectId) => readIds(writer, `project_id = ? AND status IN ('running', 'cancelling')`, [projectId]),
  ledger: (runId) => readLedger(writer, runId),
  receiptRuns: (projectId, slug) => readReceiptRuns(writer, projectId, slug),
  getPrefixTokens: (model, prefixHash) => getPrefixTokens(writer, model, prefixHash),
  putPrefixTokens: (model, prefixHash, tokens) => putPrefixTokens(writer, model, prefixHash, tokens),
  checkInvariants: () => checkInvariants(writer),
  close: () => writer.close(),
});
const readIds = async (writer, where, params) => {
  const answers = await read(writer, [{ sql: `SELECT id FROM run WHERE ${where} ORDER BY created_at, id`, params }]);
  return (answers[0]?.rows ?? []).map((row) => text(row, 'id'));
};
//# sourceMappingURL=store.js.map
