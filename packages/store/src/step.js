import { CloutError, StepKind } from '@cloutagent/contract';
import { int, json, text, textOrNull, toJson } from './rows.js';
export const STEP_COLUMNS =
  'key, kind, name, input_hash, input, output, is_error, usage, cost_nano, started_at, ended_at';
export const toStep = (row) => ({
  key: text(row, 'key'),
  kind: StepKind.parse(text(row, 'kind')),
  // These were written from a StepRow: a string, any values, and a Usage.
  name: json(row, 'name'),
  inputHash: text(row, 'input_hash'),
  input: json(row, 'input'),
  output: json(row, 'output'),
  isError: int(row, 'is_error') === 1,
  usage: textOrNull(row, 'usage') === null ? null : json(row, 'usage'),
  costNanoUsd: int(row, 'cost_nano'),
  startedAt: int(row, 'started_at'),
  endedAt: int(row, 'ended_at'),
});
const diverged = (key) =>
  new CloutError('DIVERGED', `Step ${key} was done before with another input`, { details: { key } });
/** Rows are insert-only: a second one for the same key is refused, whatever its content. */
export const insertStep = (claim, step) => ({
  sql: `INSERT INTO step (run_id, project_id, place, ${STEP_COLUMNS})
        VALUES (?, ?, (SELECT coalesce(max(place), 0) + 1 FROM step WHERE run_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run_id, key) DO NOTHING`,
  params: [
    claim.runId,
    claim.run.projectId,
    claim.runId,
    step.key,
    step.kind,
    toJson(step.name),
    step.inputHash,
    toJson(step.input),
    toJson(step.output),
    step.isError,
    step.usage === null ? null : toJson(step.usage),
    step.costNanoUsd,
    step.startedAt,
    step.endedAt,
  ],
  expectChanges: 1,
  explain: { sql: 'SELECT input_hash FROM step WHERE run_id = ? AND key = ?', params: [claim.runId, step.key] },
  refuse: ([row]) =>
    row !== undefined && text(row, 'input_hash') === step.inputHash
      ? new CloutError('FENCED', `Step ${step.key} is stored already`, { details: { key: step.key } })
      : diverged(step.key),
});
/** The same intent again is no change: a call that may be repeated is begun again after a crash. */
export const insertIntent = (claim, intent, now) => ({
  sql: `INSERT INTO intent (run_id, key, project_id, input_hash, repeatable, name, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run_id, key) DO UPDATE SET input_hash = excluded.input_hash WHERE intent.input_hash = excluded.input_hash`,
  params: [claim.runId, intent.key, claim.run.projectId, intent.inputHash, intent.repeatable, toJson(intent.name), now],
  expectChanges: 1,
  refuse: () => diverged(intent.key),
});
//# sourceMappingURL=step.js.map
