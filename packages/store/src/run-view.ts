import { toMoney, type Run, type RunReason, type TaskOutcome } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import type { Guarded } from './ask.ts';
import type { Row, SqlValue } from './libsql.ts';
import { int, intOrNull, json, text, textOrNull, usage } from './rows.ts';
import type { RunSummary } from './start.ts';

/** Which runs: fixed SQL with the parameters of its placeholders, ending in an order. */
export interface Selection {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** Statements that `toRuns` reads, for the runs of one selection; they ride along in a larger unit too. */
export const runStatements = (chosen: Selection): readonly Guarded[] => {
  const ids = `SELECT id FROM (SELECT id, status FROM run ${chosen.sql})`;
  return [
    {
      sql: `SELECT id, kind, slug, status, reason, simulated, document_hash, summary, created_at, finished_at,
              max(updated_at, coalesce((SELECT at FROM event WHERE run_id = run.id ORDER BY seq DESC LIMIT 1), 0)) AS updated_at,
              (SELECT limit_nano FROM budget WHERE scope = 'run' AND budget.id = run.id AND slot = '') AS limit_nano
            FROM run ${chosen.sql}`,
      params: chosen.params,
    },
    {
      // A step's key begins with its task, `task[1.2]/…`, and so does the key of each reservation.
      sql: `SELECT r.run_id, substr(r.step_key, 1, instr(r.step_key || '/', '/') - 1) AS task,
              coalesce(sum(s.amount_nano), 0) AS spent_nano,
              coalesce(sum(CASE WHEN s.reservation_id IS NULL THEN r.amount_nano ELSE 0 END), 0) AS held_nano,
              coalesce(sum(CASE WHEN s.outcome = 'unknown' THEN 1 ELSE 0 END), 0) AS unknown_outcomes,
              sum(s.input_tokens) AS input_tokens, sum(s.cache_read_tokens) AS cache_read_tokens,
              sum(s.cache_write_5m_tokens) AS cache_write_5m_tokens, sum(s.cache_write_1h_tokens) AS cache_write_1h_tokens,
              sum(s.output_tokens) AS output_tokens
            FROM reservation r LEFT JOIN settlement s ON s.reservation_id = r.id
            WHERE r.run_id IN (${ids}) GROUP BY 1, 2`,
      params: chosen.params,
    },
    {
      sql: `SELECT run_id, kind, count(*) AS steps FROM step WHERE run_id IN (${ids}) AND kind IN ('model', 'tool') GROUP BY 1, 2`,
      params: chosen.params,
    },
    {
      sql: `SELECT run_id, output FROM step WHERE run_id IN (${ids}) AND kind = 'task' ORDER BY place`,
      params: chosen.params,
    },
    {
      sql: `SELECT run_id, body FROM event WHERE type = 'task.started' AND (run_id, seq) IN (
              SELECT run_id, max(seq) FROM event WHERE type = 'task.started' AND run_id IN (${ids} WHERE status = 'running') GROUP BY 1)`,
      params: chosen.params,
    },
    {
      // A node that was skipped had no input. Nodes inside of others have a slash in their place.
      sql: `SELECT run_id, key, is_error, CASE input WHEN 'null' THEN 1 ELSE 0 END AS skipped FROM step
            WHERE run_id IN (${ids}) AND kind = 'node' AND instr(key, '/') = 0`,
      params: chosen.params,
    },
    {
      sql: `SELECT run_id, body FROM event WHERE type = 'node.started' AND run_id IN (${ids} WHERE status IN ('running', 'waiting', 'paused', 'cancelling'))`,
      params: chosen.params,
    },
    { sql: `SELECT run_id, key FROM wait WHERE run_id IN (${ids})`, params: chosen.params },
  ];
};

/** Builds the runs from the rows of `runStatements`, in the order of the selection. */
export const toRuns = ([
  runs = [],
  money = [],
  steps = [],
  outcomes = [],
  started = [],
  ended = [],
  begun = [],
  waits = [],
]: readonly (readonly Row[])[]): readonly Run[] => {
  const of = (rows: readonly Row[], runId: string): readonly Row[] =>
    rows.filter((row) => text(row, 'run_id') === runId);
  return runs.map((run) => {
    const id = text(run, 'id');
    return toRun(run, {
      money: of(money, id),
      steps: of(steps, id),
      outcomes: of(outcomes, id),
      started: of(started, id)[0],
      ended: of(ended, id),
      begun: of(begun, id),
      waits: of(waits, id),
    });
  });
};

interface RunRows {
  readonly money: readonly Row[];
  readonly steps: readonly Row[];
  readonly outcomes: readonly Row[];
  readonly started: Row | undefined;
  readonly ended: readonly Row[];
  readonly begun: readonly Row[];
  readonly waits: readonly Row[];
}

const toRun = (run: Row, rows: RunRows): Run => {
  // Written from these types by start.ts and commit.ts.
  const summary = json(run, 'summary') as RunSummary;
  const reason = textOrNull(run, 'reason') === null ? null : (json(run, 'reason') as RunReason);
  const sum = (name: string): number => rows.money.reduce((total, row) => total + (intOrNull(row, name) ?? 0), 0);
  const steps = (kind: string): number =>
    rows.steps.reduce((total, row) => total + (text(row, 'kind') === kind ? int(row, 'steps') : 0), 0);
  const limit = intOrNull(run, 'limit_nano');
  const finishedAt = intOrNull(run, 'finished_at');
  const usageNames = [
    'input_tokens',
    'cache_read_tokens',
    'cache_write_5m_tokens',
    'cache_write_1h_tokens',
    'output_tokens',
  ];
  return {
    id: text(run, 'id'),
    // The constraint of the column holds the kinds of RunKind.
    kind: text(run, 'kind') as Run['kind'],
    slug: text(run, 'slug'),
    title: summary.title,
    // The constraint of the column holds the statuses of RunStatus.
    status: text(run, 'status') as Run['status'],
    reason,
    model: summary.model,
    simulated: int(run, 'simulated') === 1,
    createdAt: toIso(int(run, 'created_at')),
    updatedAt: toIso(int(run, 'updated_at')),
    finishedAt: finishedAt === null ? null : toIso(finishedAt),
    money: {
      limit: limit === null ? null : toMoney(limit),
      spent: toMoney(sum('spent_nano')),
      held: toMoney(sum('held_nano')),
    },
    usage: usage(Object.fromEntries(usageNames.map((name) => [name, sum(name)]))),
    counts: { modelCalls: steps('model'), toolCalls: steps('tool'), unknownOutcomes: sum('unknown_outcomes') },
    tasks: text(run, 'kind') === 'change' ? toTasks(summary, rows) : toNodes(summary, rows),
    documentHash: text(run, 'document_hash'),
    forkedFrom: summary.forkedFrom ?? null,
  };
};

const toTasks = (summary: RunSummary, rows: RunRows): Run['tasks'] => {
  // Output of a `task` step is a TaskOutcome; the last one of a task counts.
  const outcomes = new Map(
    rows.outcomes.map((row) => [(json(row, 'output') as TaskOutcome).taskId, json(row, 'output') as TaskOutcome]),
  );
  // Body of a `task.started` event.
  const current = rows.started === undefined ? undefined : (json(rows.started, 'body') as { taskId: string }).taskId;
  const costs = new Map(rows.money.map((row) => [text(row, 'task'), intOrNull(row, 'spent_nano') ?? 0]));
  return summary.tasks.map(({ id, title }) => {
    const outcome = outcomes.get(id);
    const undone = id === current ? 'running' : 'open';
    return {
      id,
      title,
      status: outcome === undefined ? undone : outcome.ticked ? 'done' : 'failed',
      verification: outcome?.verification ?? null,
      costNanoUsd: costs.get(`task[${id}]`) ?? 0,
    };
  });
};

const toNodes = (summary: RunSummary, rows: RunRows): Run['tasks'] => {
  const ended = new Map(rows.ended.map((row) => [text(row, 'key'), row]));
  // Bodies of `node.started` events.
  const begun = new Set(rows.begun.map((row) => (json(row, 'body') as { node: string }).node));
  const top = (key: string): string => key.split('/', 1)[0] ?? key;
  const waiting = new Set(rows.waits.map((row) => top(text(row, 'key'))));
  const costs = new Map(rows.money.map((row) => [text(row, 'task'), intOrNull(row, 'spent_nano') ?? 0]));
  const statusOf = (id: string): Run['tasks'][number]['status'] => {
    const row = ended.get(id);
    if (row === undefined) return waiting.has(id) ? 'waiting' : begun.has(id) ? 'running' : 'open';
    if (int(row, 'is_error') === 1) return 'failed';
    return int(row, 'skipped') === 1 ? 'skipped' : 'done';
  };
  return summary.tasks.map(({ id, title }) => ({
    id,
    title,
    status: statusOf(id),
    verification: null,
    costNanoUsd: costs.get(id) ?? 0,
  }));
};
