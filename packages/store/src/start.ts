import { CloutError, type LimitedLevel, type NewRun } from '@cloutagent/contract';
import { defect, type Guarded } from './ask.ts';
import { ensureBudgetStatements } from './budget.ts';
import { text, toJson } from './rows.ts';

/** What a listing needs of a document, so that it does not read all prompts. */
export interface RunSummary {
  readonly title: string;
  readonly model: string;
  readonly tasks: readonly { readonly id: string; readonly title: string }[];
}

/** A new run in state `running` with its budget levels. A level that exists keeps its limit. */
export const startStatements = (run: NewRun, levels: readonly LimitedLevel[], now: number): readonly Guarded[] => {
  const own = levels.find((level) => level.scope === 'run' && level.id === run.id);
  if ((own?.limitNanoUsd ?? null) !== run.limitNanoUsd) {
    throw defect('The limit of a run and that of its own budget level differ', { run: run.limitNanoUsd, level: own });
  }
  const summary: RunSummary = {
    title: run.document.title,
    model: run.document.model,
    tasks: run.document.tasks.map(({ id, title }) => ({ id, title })),
  };
  return [
    {
      sql: `INSERT INTO run (id, project_id, slug, status, simulated, fence, document, document_hash, summary, started_by, created_at, updated_at)
            SELECT ?, ?, ?, 'running', ?, 0, ?, ?, ?, ?, ?, ?
            WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = ? OR (project_id = ? AND slug = ? AND status IN ('running', 'paused')))`,
      params: [
        run.id,
        run.projectId,
        run.document.slug,
        run.simulated,
        toJson(run.document),
        run.documentHash,
        toJson(summary),
        run.startedBy ?? '',
        now,
        now,
        run.id,
        run.projectId,
        run.document.slug,
      ],
      expectChanges: 1,
      explain: {
        sql: `SELECT id FROM run WHERE id = ? OR (project_id = ? AND slug = ? AND status IN ('running', 'paused')) LIMIT 1`,
        params: [run.id, run.projectId, run.document.slug],
      },
      refuse: ([row]) => {
        const runId = row === undefined ? undefined : text(row, 'id');
        return new CloutError('RUN_EXISTS', `Another run of "${run.document.slug}" is not finished`, {
          details: { runId },
        });
      },
    },
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
