import { CloutError } from '@cloutagent/contract';
import { defect } from './ask.js';
import { ensureBudgetStatement } from './budget.js';
import { inLockOrder } from './money.js';
import { insertStep } from './step.js';
import { text, toJson, UNFINISHED } from './rows.js';
const summaryOf = ({ document }) => {
  const { title, model } = document;
  if (document.kind === 'change')
    return { title, model, tasks: document.tasks.map((task) => pick(task.id, task.title)) };
  const { workflow, forkedFrom } = document;
  const tasks = workflow.nodes.map(({ id, data }) => pick(id, data.label ?? id));
  return { title, model, tasks, ...(forkedFrom === undefined ? {} : { forkedFrom }) };
};
const pick = (id, title) => ({ id, title });
/** A new run in state `running` with its budget levels. A level that exists keeps its limit. */
export const startStatements = (run, levels, now) => {
  const own = levels.find((level) => level.scope === 'run' && level.id === run.id);
  if ((own?.limitNanoUsd ?? null) !== run.limitNanoUsd) {
    throw defect('The limit of a run and that of its own budget level differ', { run: run.limitNanoUsd, level: own });
  }
  const { kind, slug } = run.document;
  const live = `kind = 'change' AND project_id = ? AND slug = ? AND ${UNFINISHED}`;
  return [
    {
      sql: `INSERT INTO run (id, project_id, kind, slug, status, simulated, fence, document, document_hash, summary, created_at, updated_at)
            SELECT ?, ?, ?, ?, 'running', ?, 0, ?, ?, ?, ?, ?
            WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = ? OR (? = 'change' AND ${live}))`,
      params: [
        run.id,
        run.projectId,
        kind,
        slug,
        run.simulated,
        toJson(run.document),
        run.documentHash,
        toJson(summaryOf(run)),
        now,
        now,
        run.id,
        kind,
        run.projectId,
        slug,
      ],
      expectChanges: 1,
      explain: {
        sql: `SELECT id FROM run WHERE id = ? OR (${live}) LIMIT 1`,
        params: [run.id, run.projectId, slug],
      },
      refuse: ([row]) => {
        const runId = row === undefined ? undefined : text(row, 'id');
        return new CloutError('RUN_EXISTS', `Another run of "${slug}" is not finished`, {
          details: { runId },
        });
      },
    },
    ...(run.seeded ?? []).map((step) => insertStep({ runId: run.id, run }, step)),
    ...inLockOrder(levels).flatMap((level) => [
      ensureBudgetStatement(level, level.limitNanoUsd),
      {
        sql: 'INSERT INTO run_level (run_id, project_id, scope, budget_id) VALUES (?, ?, ?, ?)',
        params: [run.id, run.projectId, level.scope, level.id],
      },
    ]),
  ];
};
//# sourceMappingURL=start.js.map
