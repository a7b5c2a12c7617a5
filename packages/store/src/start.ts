import { CloutError, type LimitedLevel, type NewRun, type Run, type RunKind } from '@cloutagent/contract';
import { defect, type Guarded } from './ask.ts';
import { ensureBudgetStatements } from './budget.ts';
import { insertStep, toStepText } from './step.ts';
import { text, toJson, UNFINISHED } from './rows.ts';

/** What a listing needs of a document, so that it does not read all prompts. */
export interface RunSummary {
  readonly title: string;
  readonly model: string;
  /** Tasks of a change, or nodes of a workflow. */
  readonly tasks: readonly { readonly id: string; readonly title: string }[];
  readonly forkedFrom?: Run['forkedFrom'];
}

const summaryOf = ({ document }: NewRun): RunSummary => {
  const { title, model } = document;
  if (document.kind === 'change')
    return { title, model, tasks: document.tasks.map((task) => pick(task.id, task.title)) };
  const { workflow, forkedFrom } = document;
  const tasks = workflow.nodes.map(({ id, data }) => pick(id, data.label ?? id));
  return { title, model, tasks, ...(forkedFrom === undefined ? {} : { forkedFrom }) };
};

const pick = (id: string, title: string): RunSummary['tasks'][number] => ({ id, title });

/** A new run in state `running` with its budget levels. A level that exists keeps its limit. */
export const startStatements = (run: NewRun, levels: readonly LimitedLevel[], now: number): readonly Guarded[] => {
  const own = levels.find((level) => level.scope === 'run' && level.id === run.id);
  if ((own?.limitNanoUsd ?? null) !== run.limitNanoUsd) {
    throw defect('The limit of a run and that of its own budget level differ', { run: run.limitNanoUsd, level: own });
  }
  const { kind, slug } = run.document;
  const live = `kind = 'change' AND project_id = ? AND slug = ? AND ${UNFINISHED}`;
  return [
    {
      sql: `INSERT INTO run (id, project_id, kind, slug, status, simulated, fence, document, document_hash, summary, started_by, created_at, updated_at)
            SELECT ?, ?, ?, ?, 'running', ?, 0, ?, ?, ?, ?, ?, ?
            WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = ? OR (? = 'change' AND ${live}))`,
      params: [
        run.id,
        run.projectId,
        kind satisfies RunKind,
        slug,
        run.simulated,
        toJson(run.document),
        run.documentHash,
        toJson(summaryOf(run)),
        run.startedBy ?? '',
        now,
        now,
        run.id,
        kind,
        run.projectId,
        slug,
      ],
      expectChanges: 1,
      forgets: { runId: run.id },
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
    ...(run.seeded ?? []).map((step, index) =>
      insertStep({ runId: run.id, projectId: run.projectId }, index + 1, toStepText(step)),
    ),
    ...levels.flatMap((level): readonly Guarded[] => [
      ...ensureBudgetStatements(level, level.limitNanoUsd),
      {
        sql: `INSERT INTO run_level (run_id, project_id, scope, budget_id, place) VALUES (?, ?, ?, ?, ?)
              ON CONFLICT (run_id, place, scope, budget_id) DO NOTHING`,
        params: [run.id, run.projectId, level.scope, level.id, level.place ?? ''],
      },
    ]),
  ];
};
