import { NO_USAGE, type Usage, type WorkflowRunDocument } from '@cloutagent/contract';
import { read, type Guarded } from './ask.ts';
import type { Row } from './libsql.ts';
import { int, text, usage } from './rows.ts';
import type { Writer } from './writer.ts';

export interface CostRange {
  readonly projectId: string;
  readonly simulated: boolean;
  /** Milliseconds since 1970; `from` included, `until` excluded, by when the money was reserved. */
  readonly from: number;
  readonly until: number;
}

/** What was settled under one key. */
export interface CostGroup {
  readonly key: string;
  readonly costNanoUsd: number;
  readonly calls: number;
  readonly usage: Usage;
}

export interface Costs {
  readonly runs: number;
  readonly total: CostGroup;
  readonly heldNanoUsd: number;
  readonly unknown: { readonly calls: number; readonly costNanoUsd: number };
  readonly byModel: readonly CostGroup[];
  readonly byPrice: readonly CostGroup[];
  readonly byDay: readonly CostGroup[];
  readonly byNode: readonly CostGroup[];
  readonly byUser: readonly CostGroup[];
  readonly byChange: readonly CostGroup[];
}

/** Rows of one grouping: a year of days fits, and of nodes the dearest are what is looked for. */
const MAX_GROUPS = 400;
const MAX_NODES = 100;

const FROM = `FROM reservation r JOIN run ON run.id = r.run_id LEFT JOIN settlement s ON s.reservation_id = r.id
  WHERE r.project_id = ? AND r.created_at >= ? AND r.created_at < ? AND run.simulated = ?`;

const SUMS = `coalesce(sum(s.amount_nano), 0) AS cost, count(s.reservation_id) AS calls, sum(s.input_tokens) AS input_tokens,
  sum(s.cache_read_tokens) AS cache_read_tokens, sum(s.cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(s.cache_write_1h_tokens) AS cache_write_1h_tokens, sum(s.output_tokens) AS output_tokens`;

const grouped = (key: string, order: string, limit: number): string =>
  `SELECT ${key} AS key, ${SUMS} ${FROM} AND s.outcome <> 'released' GROUP BY 1 ORDER BY ${order} LIMIT ${limit}`;

const GROUPS = {
  byModel: grouped('r.model', 'cost DESC, 1', MAX_GROUPS),
  byPrice: grouped('r.price_id', 'cost DESC, 1', MAX_GROUPS),
  byDay: grouped('r.day', '1', MAX_GROUPS),
  byNode: grouped(`run.slug || ' ' || r.node`, 'cost DESC, 1', MAX_NODES),
  byUser: grouped('run.started_by', 'cost DESC, 1', MAX_GROUPS),
  byChange: grouped('run.slug', 'cost DESC, 1', MAX_GROUPS),
} as const;

/** What a project's runs cost in a time, from the ledger itself. */
export const readCosts = async (writer: Writer, range: CostRange): Promise<Costs> => {
  const params = [range.projectId, range.from, range.until, range.simulated];
  const statement = (sql: string): Guarded => ({ sql, params });
  const answers = await read(writer, [
    statement(`SELECT '' AS key, ${SUMS}, count(DISTINCT r.run_id) AS runs,
      coalesce(sum(CASE WHEN s.reservation_id IS NULL THEN r.amount_nano ELSE 0 END), 0) AS held,
      coalesce(sum(CASE WHEN s.outcome = 'unknown' THEN 1 ELSE 0 END), 0) AS unknown_calls,
      coalesce(sum(CASE WHEN s.outcome = 'unknown' THEN s.amount_nano ELSE 0 END), 0) AS unknown_cost,
      coalesce(sum(CASE WHEN s.outcome = 'released' THEN 1 ELSE 0 END), 0) AS released ${FROM}`),
    ...Object.values(GROUPS).map(statement),
  ]);
  const [all, ...groups] = answers.map((answer) => answer.rows);
  const [row] = all ?? [];
  const [byModel = [], byPrice = [], byDay = [], byNode = [], byUser = [], byChange = []] = groups.map((rows) =>
    rows.map(toGroup),
  );
  const total = row === undefined ? { key: '', costNanoUsd: 0, calls: 0, usage: NO_USAGE } : toGroup(row);
  const count = (name: string): number => (row === undefined ? 0 : int(row, name));
  return {
    runs: count('runs'),
    total: { ...total, calls: total.calls - count('released') },
    heldNanoUsd: count('held'),
    unknown: { calls: count('unknown_calls'), costNanoUsd: count('unknown_cost') },
    byModel,
    byPrice,
    byDay,
    byNode,
    byUser,
    byChange,
  };
};

const toGroup = (row: Row): CostGroup => ({
  key: text(row, 'key'),
  costNanoUsd: int(row, 'cost'),
  calls: int(row, 'calls'),
  usage: usage(row),
});

/** What a node cost in an earlier run, and how many tokens of it were read from the cache. */
export interface PastUse {
  readonly costNanoUsd: number;
  readonly cacheReadTokens: number;
}

/** What the nodes of earlier runs of one document cost, newest run first; only of runs that were completed. */
export interface NodeHistory extends PastUse {
  readonly node: string;
  readonly calls: number;
}

/** Runs that are looked back at: enough for a steady figure, few enough that it follows a change. */
const MAX_RUNS_BACK = 20;

/** Cost of each node in the last runs of a document, a row for each run and node. */
export const readNodeHistory = async (
  writer: Writer,
  projectId: string,
  documentHash: string,
  simulated: boolean,
): Promise<readonly NodeHistory[]> => {
  const answers = await read(writer, [
    {
      sql: `SELECT r.node, sum(s.amount_nano) AS cost, coalesce(sum(s.cache_read_tokens), 0) AS cached, count(*) AS calls
            FROM reservation r JOIN settlement s ON s.reservation_id = r.id
            WHERE r.run_id IN (SELECT id FROM run WHERE project_id = ? AND document_hash = ? AND simulated = ?
              AND status = 'completed' ORDER BY created_at DESC, id DESC LIMIT ${MAX_RUNS_BACK})
            GROUP BY r.run_id, r.node`,
      params: [projectId, documentHash, simulated],
    },
  ]);
  return (answers[0]?.rows ?? []).map((row) => ({
    node: text(row, 'node'),
    costNanoUsd: int(row, 'cost'),
    cacheReadTokens: int(row, 'cached'),
    calls: int(row, 'calls'),
  }));
};

/** Runs of a name that are looked at for those of one workflow. */
const MAX_NAMESAKES = 50;

/**
 * What the nodes of a workflow cost in the last runs of it that were completed, newest run first, whatever their input was. A map's
 * items are summed; a node that made no call is absent.
 */
export const readWorkflowHistory = async (
  writer: Writer,
  projectId: string,
  document: WorkflowRunDocument,
  simulated: boolean,
): Promise<readonly ReadonlyMap<string, PastUse>[]> => {
  const answers = await read(writer, [
    {
      // A fork has not paid for what it took over.
      sql: `WITH back AS (SELECT id, created_at FROM
              (SELECT id, created_at, document FROM run WHERE project_id = ? AND slug = ? AND kind = 'workflow'
                AND simulated = ? AND status = 'completed' ORDER BY created_at DESC, id DESC LIMIT ${MAX_NAMESAKES})
              WHERE json_extract(document, '$.workflow') = ? AND json_extract(document, '$.workflows') = ?
                AND json_extract(document, '$.model') = ? AND json_extract(document, '$.forkedFrom') IS NULL
              ORDER BY created_at DESC, id DESC LIMIT ${MAX_RUNS_BACK})
            SELECT back.id, coalesce(r.node, '') AS node, coalesce(sum(s.amount_nano), 0) AS cost,
              coalesce(sum(s.cache_read_tokens), 0) AS cached
            FROM back LEFT JOIN reservation r ON r.run_id = back.id LEFT JOIN settlement s ON s.reservation_id = r.id
            GROUP BY back.id, r.node ORDER BY back.created_at DESC, back.id DESC`,
      params: [
        projectId,
        document.slug,
        simulated,
        JSON.stringify(document.workflow),
        JSON.stringify(document.workflows),
        document.model,
      ],
    },
  ]);
  const runs = new Map<string, Map<string, PastUse>>();
  for (const row of answers[0]?.rows ?? []) {
    const id = text(row, 'id');
    const costs = runs.get(id) ?? new Map<string, PastUse>();
    runs.set(id, costs);
    // An item's place in its map is no part of the node's name.
    const node = text(row, 'node').replace(/\[.*$/u, '');
    if (node === '') continue;
    const { costNanoUsd = 0, cacheReadTokens = 0 } = costs.get(node) ?? {};
    costs.set(node, {
      costNanoUsd: costNanoUsd + int(row, 'cost'),
      cacheReadTokens: cacheReadTokens + int(row, 'cached'),
    });
  }
  return [...runs.values()];
};

/** Runs that wait for money, with the budget that stopped each (a `BudgetShortage`). */
export const readPausedForBudget = async (
  writer: Writer,
  projectId: string,
): Promise<readonly { readonly runId: string; readonly reason: unknown }[]> => {
  const answers = await read(writer, [
    {
      sql: `SELECT id, reason FROM run WHERE project_id = ? AND status = 'paused' AND reason LIKE '%"BUDGET_EXHAUSTED"%'
            ORDER BY created_at, id`,
      params: [projectId],
    },
  ]);
  return (answers[0]?.rows ?? []).map((row) => ({
    runId: text(row, 'id'),
    reason: JSON.parse(text(row, 'reason')) as unknown,
  }));
};
