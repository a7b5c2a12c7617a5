import { NO_USAGE, toMoney, type Run, type RunDetail, type StepRow, type Task } from '@cloutagent/contract';
import { hashOf } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import type { LaneJournal } from './deps.ts';
import { makeReceipt, type ReceiptDraft } from './receipt.ts';

const evidence = [{ check: { kind: 'file-exists', path: 'a' }, ok: true, detail: '1 bytes' }] as const;
const step = (key: string, kind: StepRow['kind'], name: string, output: unknown, isError = false): StepRow => ({
  key,
  kind,
  name,
  inputHash: '',
  input: null,
  output,
  isError,
  usage: null,
  costNanoUsd: 0,
  startedAt: 0,
  endedAt: 0,
});
const ticked = (id: string, verification: string | null) =>
  step(`task[${id}]`, 'task', id, {
    taskId: id,
    ticked: verification !== null,
    verification,
    attempts: 1,
    evidence,
    note: '',
  });

const detail = (
  id: string,
  spent: number,
  simulated: boolean,
  tasks: readonly (readonly [string, string])[],
  steps: StepRow[],
): RunDetail => {
  const run: Run = {
    id,
    kind: 'change',
    slug: 'add-notes',
    title: 'Add notes',
    status: 'completed',
    reason: null,
    model: 'claude-sonnet-5-5',
    simulated,
    createdAt: '2026-11-20T12:00:00.000Z',
    updatedAt: '2026-11-20T12:00:00.000Z',
    finishedAt: null,
    money: { limit: null, spent: toMoney(spent), held: toMoney(0) },
    usage: NO_USAGE,
    counts: { modelCalls: 2, toolCalls: 1, unknownOutcomes: 1 },
    tasks: tasks.map(([taskId, title]) => ({ id: taskId, title, status: 'done', verification: null, costNanoUsd: 0 })),
    documentHash: 'h',
    forkedFrom: null,
  };
  return { run, steps, ledger: [], waits: [], lastSeq: 1 };
};

const task = (id: string, title: string, done = true): Task => ({
  id,
  title,
  done,
  line: 1,
  notes: [],
  checks: [],
  unreadableChecks: [],
});

const draft: ReceiptDraft = {
  slug: 'add-notes',
  title: 'Add notes',
  archivedAs: '2026-11-20-add-notes',
  archivedAt: '2026-11-20T13:00:00.000Z',
  path: 'openspec/changes/archive/2026-11-20-add-notes',
  specs: [],
  totals: { added: 0, modified: 0, removed: 0, renamed: 0 },
  warnings: [],
  overlaps: [],
  receiptPath: 'r',
  tasks: [
    task('1.1', 'One'),
    task('1.2', 'Two'),
    task('1.3', 'Three'),
    task('1.4', 'Four', false),
    task('1.5', 'Renamed'),
  ],
  by: 'ada',
};

const receiptOf = (...runs: RunDetail[]) =>
  makeReceipt(
    { projectId: 'default', clock: systemClock, journal: { receiptRuns: async () => runs } as unknown as LaneJournal },
    draft,
  );

describe('[X3.receipt] a receipt', () => {
  it('says of each task who proved it: the last run that ticked it, or a hand', async () => {
    const receipt = await receiptOf(
      detail(
        'run_1',
        10,
        false,
        [
          ['1.1', 'One'],
          ['1.2', 'Two'],
          ['1.4', 'Four'],
          ['1.5', 'Old name'],
        ],
        [ticked('1.1', 'checked'), ticked('1.2', 'checked'), ticked('1.4', 'checked'), ticked('1.5', 'checked')],
      ),
      detail(
        'run_2',
        20,
        false,
        [
          ['1.2', 'Two'],
          ['1.3', 'Three'],
        ],
        [ticked('1.2', 'unverified'), ticked('1.3', null)],
      ),
    );
    expect(receipt.tasks.map(({ id, done, verification, runId }) => [id, done, verification, runId])).toEqual([
      ['1.1', true, 'checked', 'run_1'],
      ['1.2', true, 'unverified', 'run_2'],
      ['1.3', true, 'by-hand', null],
      ['1.4', false, null, null],
      ['1.5', true, 'by-hand', null],
    ]);
    expect(receipt.tasks[0]?.evidence).toEqual(evidence);
  });

  it('[X7.marked X1.simulated] keeps simulated money apart, and names every tool call', async () => {
    const calls = [
      step('a/tool[0]', 'tool', 'filesystem:write_file', null),
      step('a/tool[1]', 'tool', 'filesystem:edit_file', null, true),
    ];
    const receipt = await receiptOf(detail('run_1', 10, false, [], calls), detail('run_2', 32, true, [], []));
    expect(receipt.cost).toEqual({ billed: toMoney(10), simulated: toMoney(32) });
    expect(receipt.runs[0]).toMatchObject({
      id: 'run_1',
      modelCalls: 2,
      unknownOutcomes: 1,
      cost: toMoney(10),
      toolCalls: [
        { step: 'a/tool[0]', name: 'filesystem:write_file', ok: true },
        { step: 'a/tool[1]', name: 'filesystem:edit_file', ok: false },
      ],
    });
  });

  it('bears a hash over everything else', async () => {
    const { hash, ...rest } = await receiptOf();
    expect(hash).toBe(hashOf(rest));
    expect(hash).toMatch(/^[0-9a-f]{64}$/u);
    expect(hashOf({ ...rest, by: 'eve' })).not.toBe(hash);
    expect(rest).toMatchObject({ format: 1, by: 'ada', ledger: 'consulted' });
  });
});
