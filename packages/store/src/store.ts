import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type {
  Approval,
  ApprovalDecision,
  Budget,
  BudgetLevel,
  BudgetView,
  Claim,
  Committed,
  CostAlert,
  LedgerRow,
  LimitChange,
  LimitedLevel,
  NewRun,
  Page,
  PinnedDocument,
  Run,
  RunDetail,
  RunEvent,
  RunKind,
  Signal,
  Unit,
  WorkflowRunDocument,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { read, write } from './ask.ts';
import { decideApproval, readApproval, readApprovals, type ApprovalsQuery } from './approval.ts';
import { readAlerts, readUndelivered, writeDelivery, type Delivery } from './alert.ts';
import {
  ensureBudgetStatements,
  openSlotsStatements,
  readBudgets,
  readBudgetViews,
  readLimitChanges,
  writeLimit,
  type ChangesQuery,
  type LimitOrder,
} from './budget.ts';
import { openCalendar, periodEnd, type Slots } from './calendar.ts';
import { claimRun } from './claim.ts';
import { commitUnit } from './commit.ts';
import {
  readCosts,
  readNodeHistory,
  readWorkflowHistory,
  readPausedForBudget,
  type CostRange,
  type Costs,
  type NodeHistory,
  type PastUse,
} from './cost.ts';
import {
  readDetail,
  readDocument,
  readEvents,
  readKind,
  readLedger,
  readReceiptRuns,
  readRunsPage,
  type RunsQuery,
} from './detail.ts';
import { checkInvariants } from './invariants.ts';
import { fromFailure, toFailure } from './failure.ts';
import { getPrefixTokens, putPrefixTokens } from './prefix-tokens.ts';
import { text, UNFINISHED } from './rows.ts';
import { markRunning, readDue, readSignals, requestCancel, storeSignal, type Due } from './signal.ts';
import { startStatements } from './start.ts';
import { openWriter, type Writer } from './writer.ts';

/**
 * Runs, their events and their money; satisfies the engine's port `Journal`. Everything is durable on return, and
 * nothing blocks the calling thread. Every method can throw STORAGE_*.
 */
export interface Store {
  /** Throws RUN_EXISTS (details: `{runId}`) while another run of the same change is not finished. */
  start(run: NewRun, levels: readonly LimitedLevel[]): Promise<void>;
  /** Throws RUN_NOT_FOUND; RUN_NOT_RESUMABLE for a finished run. */
  claim(runId: string): Promise<Claim>;
  /** Throws FENCED, RUN_NOT_FOUND, RUN_NOT_RESUMABLE, BUDGET_EXHAUSTED (details: BudgetShortage), DIVERGED. */
  commit(claim: Claim, unit: Unit): Promise<Committed>;
  /** At most 1,000 at once, and not much more than 256 KiB; none only where there are no more. Throws RUN_NOT_FOUND. */
  events(runId: string, after: number, limit: number): Promise<readonly RunEvent[]>;
  /** In the order asked; a level that nobody made is unlimited and unspent. */
  budgets(levels: readonly BudgetLevel[]): Promise<readonly Budget[]>;
  /** Creates a budget; one that exists stays as it is. */
  ensureBudget(level: BudgetLevel, limitNanoUsd: number | null): Promise<void>;
  /** Below what is spent and held it only refuses new reservations. Throws RUN_NOT_FOUND for the budget of no run. */
  setLimit(order: LimitOrder): Promise<Budget>;
  /** Every budget but those of runs and tasks, and those of one run where it is named; the running periods only. */
  budgetViews(runId?: string): Promise<readonly BudgetView[]>;
  /** Who changed which limit, newest first, at most 200. */
  limitChanges(query?: ChangesQuery): Promise<readonly LimitChange[]>;
  costs(range: CostRange): Promise<Costs>;
  /** Of the last completed runs of a document, a row for each run and node. */
  nodeHistory(projectId: string, documentHash: string, simulated: boolean): Promise<readonly NodeHistory[]>;
  /** What each node cost in the last completed runs of the same workflow, a map for each run. */
  workflowHistory(
    projectId: string,
    document: WorkflowRunDocument,
    simulated: boolean,
  ): Promise<readonly ReadonlyMap<string, PastUse>[]>;
  /** Runs that wait for money, with their reasons. */
  pausedForBudget(projectId: string): Promise<readonly { readonly runId: string; readonly reason: unknown }[]>;
  /** Alerts behind a place, oldest first, at most 200. */
  alerts(after: number): Promise<readonly CostAlert[]>;
  /** What a channel has still to deliver now. */
  undelivered(channel: string): Promise<readonly Delivery[]>;
  recordDelivery(delivery: Omit<Parameters<typeof writeDelivery>[1], 'now'>): Promise<void>;
  /** The running day, week and month in the budgets' time zone. */
  slots(): Slots;
  /** When the running day ends in the budgets' time zone, in milliseconds since 1970. */
  dayEnd(): number;
  /** Newest first, statuses as stored. */
  runs(query: RunsQuery): Promise<Page<Run>>;
  /** Status as stored. Throws RUN_NOT_FOUND. */
  run(runId: string): Promise<RunDetail>;
  /** Kept before or after the run waits for it; the first of a topic stays. Says whether this one is it. Throws RUN_NOT_FOUND, RUN_NOT_RESUMABLE. */
  signal(signal: Signal): Promise<boolean>;
  /** Oldest first. */
  signals(runId: string): Promise<readonly Signal[]>;
  /** Waiting runs that can go on, and when the next one can. */
  due(): Promise<Due>;
  /** Promises that the run ends as cancelled, whatever its driver does. Throws RUN_NOT_FOUND, RUN_NOT_RESUMABLE. */
  requestCancel(runId: string): Promise<void>;
  /** Takes a pause back, so that a crash does not forget that the run was to go on. Throws RUN_NOT_FOUND, RUN_NOT_RESUMABLE. */
  markRunning(runId: string): Promise<void>;
  /** Newest first. */
  approvals(query: ApprovalsQuery): Promise<Page<Approval>>;
  /** Throws APPROVAL_NOT_FOUND. */
  approval(id: string): Promise<Approval>;
  /** Once, with the run's signal. Throws APPROVAL_NOT_FOUND, APPROVAL_DECIDED, APPROVAL_EXPIRED, APPROVAL_CHANGED, RUN_NOT_RESUMABLE. */
  decide(id: string, decision: ApprovalDecision & { readonly by: string }): Promise<Approval>;
  /** What a run was started with. Throws RUN_NOT_FOUND. */
  document(runId: string): Promise<PinnedDocument>;
  /** Throws RUN_NOT_FOUND. */
  kindOf(runId: string): Promise<{ readonly kind: RunKind; readonly status: Run['status'] }>;
  /** Id of the change's run that is not finished. */
  liveRunOf(projectId: string, slug: string): Promise<string | undefined>;
  /** Ids of runs with status `running` or `cancelling`, oldest first. */
  unfinished(projectId: string): Promise<readonly string[]>;
  /** Throws RUN_NOT_FOUND. */
  ledger(runId: string): Promise<readonly LedgerRow[]>;
  /** Every run of a change, oldest first, with its ledger and its steps of kind `task` and `tool` only. */
  receiptRuns(projectId: string, slug: string): Promise<readonly RunDetail[]>;
  /** Tokens that the API counted for a prompt prefix; undefined where it was not seen lately. */
  getPrefixTokens(model: string, prefixHash: string): Promise<number | undefined>;
  putPrefixTokens(model: string, prefixHash: string, tokens: number): Promise<void>;
  /** What is wrong with the stored data, a sentence each; reads everything. */
  checkInvariants(): Promise<readonly string[]>;
  /** Finishes what was begun, then closes the database. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Data folder; created where absent. */
  readonly dir: string;
  readonly clock: Clock;
  readonly money?: MoneyOptions;
}

export interface MoneyOptions {
  /** IANA name of the zone whose days, weeks and months budgets count; UTC where absent. */
  readonly timeZone?: string;
  /** False records and alerts, and refuses nothing. */
  readonly enforced?: boolean;
  /** Called after a unit that wrote alerts. */
  readonly onAlerts?: () => void;
}

/** Opens `store.db` in the data folder and brings it to this version. Throws STORAGE_NEWER, STORAGE_CORRUPT, STORAGE_READONLY. */
export const openStore = async (options: StoreOptions): Promise<Store> => {
  try {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw fromFailure(toFailure(cause), cause);
  }
  const writer = await openWriter({ file: path.join(options.dir, 'store.db') });
  return createStore(writer, options.clock, options.money);
};

/** The store over a connection that is open; closing it closes that. */
export const createStore = (writer: Writer, clock: Clock, money: MoneyOptions = {}): Store => {
  const { timeZone = 'UTC', enforced = true, onAlerts } = money;
  const slotsOf = openCalendar(timeZone);
  let opened = '';
  /** The first reservation of a day opens the rows of the periods that begin with it. */
  const openSlots = async (now: number): Promise<void> => {
    const slots = slotsOf(now);
    if (slots.day === opened) return;
    await write(writer, openSlotsStatements(slots));
    opened = slots.day;
  };
  return {
    start: async (run, levels) => {
      await write(writer, startStatements(run, levels, clock.now()));
    },
    claim: async (runId) => {
      const claim = await claimRun(writer, runId, clock.now());
      onAlerts?.();
      return claim;
    },
    commit: async (claim, unit) => {
      const now = clock.now();
      if (unit.money?.some((op) => op.op === 'reserve') === true) await openSlots(now);
      const { events, alerts } = await commitUnit(writer, claim, unit, { now, slots: slotsOf(now), enforced });
      if (alerts) onAlerts?.();
      return { events };
    },
    events: (runId, after, limit) => readEvents(writer, runId, after, limit),
    budgets: (levels) => readBudgets(writer, levels),
    ensureBudget: async (level, limitNanoUsd) => {
      await write(writer, ensureBudgetStatements(level, limitNanoUsd));
    },
    setLimit: async (order) => {
      const now = clock.now();
      const budget = await writeLimit(writer, order, slotsOf(now), now);
      onAlerts?.();
      return budget;
    },
    budgetViews: async (runId) => {
      const now = clock.now();
      await openSlots(now);
      return readBudgetViews(writer, { now, timeZone, slots: slotsOf(now), runId });
    },
    limitChanges: (query) => readLimitChanges(writer, query),
    costs: (range) => readCosts(writer, range),
    nodeHistory: (projectId, documentHash, simulated) => readNodeHistory(writer, projectId, documentHash, simulated),
    workflowHistory: (projectId, document, simulated) => readWorkflowHistory(writer, projectId, document, simulated),
    pausedForBudget: (projectId) => readPausedForBudget(writer, projectId),
    alerts: (after) => readAlerts(writer, after),
    undelivered: (channel) => readUndelivered(writer, channel, clock.now()),
    recordDelivery: (delivery) => writeDelivery(writer, { ...delivery, now: clock.now() }),
    slots: () => slotsOf(clock.now()),
    dayEnd: () => periodEnd('day', clock.now(), timeZone),
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
  };
};

const readIds = async (writer: Writer, where: string, params: readonly string[]): Promise<readonly string[]> => {
  const answers = await read(writer, [{ sql: `SELECT id FROM run WHERE ${where} ORDER BY created_at, id`, params }]);
  return (answers[0]?.rows ?? []).map((row) => text(row, 'id'));
};
