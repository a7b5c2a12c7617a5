import { CloutError, StepKind, type Intent, type StepRow, type Usage } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import type { Row } from './libsql.ts';
import type { RunRef, StepText } from './unit.ts';
import { int, json, text, textOrNull, toJson } from './rows.ts';

export const STEP_COLUMNS =
  'key, kind, name, input_hash, input, output, is_error, usage, cost_nano, started_at, ended_at';

export const toStep = (row: Row): StepRow => ({
  key: text(row, 'key'),
  kind: StepKind.parse(text(row, 'kind')),
  // These were written from a StepRow: a string, any values, and a Usage.
  name: json(row, 'name') as string,
  inputHash: text(row, 'input_hash'),
  input: json(row, 'input'),
  output: json(row, 'output'),
  isError: int(row, 'is_error') === 1,
  usage: textOrNull(row, 'usage') === null ? null : (json(row, 'usage') as Usage),
  costNanoUsd: int(row, 'cost_nano'),
  startedAt: int(row, 'started_at'),
  endedAt: int(row, 'ended_at'),
});

const diverged = (key: string): CloutError =>
  new CloutError('DIVERGED', `Step ${key} was done before with another input`, { details: { key } });

export const toStepText = ({ name, input, output, usage, ...step }: StepRow): StepText => ({
  ...step,
  name: toJson(name),
  input: toJson(input),
  output: toJson(output),
  usage: usage === null ? null : toJson(usage),
});

/** Rows are insert-only: a second one for the same key is refused, whatever its content. */
export const insertStep = (run: RunRef, place: number, step: StepText): Guarded => ({
  sql: `INSERT INTO step (run_id, project_id, place, ${STEP_COLUMNS})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, key) DO NOTHING`,
  params: [
    run.runId,
    run.projectId,
    place,
    step.key,
    step.kind,
    step.name,
    step.inputHash,
    step.input,
    step.output,
    step.isError,
    step.usage,
    step.costNanoUsd,
    step.startedAt,
    step.endedAt,
  ],
  expectChanges: 1,
  explain: { sql: 'SELECT input_hash FROM step WHERE run_id = ? AND key = ?', params: [run.runId, step.key] },
  refuse: ([row]) =>
    row !== undefined && text(row, 'input_hash') === step.inputHash
      ? new CloutError('FENCED', `Step ${step.key} is stored already`, { details: { key: step.key } })
      : diverged(step.key),
});

/** The same intent again is no change: a call that may be repeated is begun again after a crash. */
export const insertIntent = (run: RunRef, intent: Intent, now: number): Guarded => ({
  sql: `INSERT INTO intent (run_id, key, project_id, input_hash, repeatable, name, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run_id, key) DO UPDATE SET input_hash = excluded.input_hash WHERE intent.input_hash = excluded.input_hash`,
  params: [run.runId, intent.key, run.projectId, intent.inputHash, intent.repeatable, toJson(intent.name), now],
  expectChanges: 1,
  refuse: () => diverged(intent.key),
});
