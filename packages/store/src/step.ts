import { CloutError, StepKind, type Intent, type StepRow, type Usage } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import type { Row, SqlValue } from './libsql.ts';
import type { RunRef, StepText } from './unit.ts';
import { int, json, text, textOrNull, toJson } from './rows.ts';
import { INSERT_STEP, type RowGuard } from './sheet.ts';

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

/** Named one by one: a spread makes an object that is slow for as long as it lives. */
export const toStepText = (step: StepRow): StepText => ({
  key: step.key,
  kind: step.kind,
  name: toJson(step.name),
  inputHash: step.inputHash,
  input: toJson(step.input),
  output: toJson(step.output),
  isError: step.isError,
  usage: step.usage === null ? null : toJson(step.usage),
  costNanoUsd: step.costNanoUsd,
  startedAt: step.startedAt,
  endedAt: step.endedAt,
});

/** Rows are insert-only: a second one for the same key is refused, whatever its content. */
export const stepRow = (run: RunRef, place: number, step: StepText): readonly SqlValue[] => [
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
];

export const stepGuard = ({ runId }: RunRef, { key, inputHash }: StepText): RowGuard => ({
  explain: { sql: 'SELECT input_hash FROM step WHERE run_id = ? AND key = ?', params: [runId, key] },
  refuse: ([row]) =>
    row !== undefined && text(row, 'input_hash') === inputHash
      ? new CloutError('FENCED', `Step ${key} is stored already`, { details: { key } })
      : diverged(key),
});

export const insertStep = (run: RunRef, place: number, step: StepText): Guarded => ({
  sql: INSERT_STEP,
  params: stepRow(run, place, step),
  expectChanges: 1,
  ...stepGuard(run, step),
});

/** The same intent again is no change: a call that may be repeated is begun again after a crash. */
export const intentRow = (run: RunRef, intent: Intent, now: number): readonly SqlValue[] => [
  run.runId,
  intent.key,
  run.projectId,
  intent.inputHash,
  intent.repeatable,
  toJson(intent.name),
  now,
];

export const intentGuard = ({ key }: Intent): RowGuard => ({ refuse: () => diverged(key) });
