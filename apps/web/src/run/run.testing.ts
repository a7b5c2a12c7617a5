import {
  NO_USAGE,
  toMoney,
  type LedgerRow,
  type Run,
  type RunDetail,
  type RunEventBody,
  type RunFrame,
  type StepRow,
} from '@cloutagent/contract';

export const run = (over: Partial<Run> = {}): Run => ({
  id: 'run_1',
  kind: 'change',
  slug: 'add-export',
  title: 'Add export',
  status: 'running',
  reason: null,
  model: 'claude-sonnet-5-5',
  simulated: false,
  createdAt: '2026-11-21T10:00:00.000Z',
  updatedAt: '2026-11-21T10:00:10.000Z',
  finishedAt: null,
  money: { limit: toMoney(1_000_000_000), spent: toMoney(0), held: toMoney(0) },
  usage: NO_USAGE,
  counts: { modelCalls: 0, toolCalls: 0, unknownOutcomes: 0 },
  tasks: [
    { id: '1.1', title: 'First', status: 'running', verification: null, costNanoUsd: 0 },
    { id: '1.2', title: 'Second', status: 'open', verification: null, costNanoUsd: 0 },
  ],
  documentHash: 'aa',
  forkedFrom: null,
  ...over,
});

export const row = (key: string, over: Partial<StepRow> = {}): StepRow => ({
  key,
  kind: 'model',
  name: 'claude-sonnet-5-5',
  inputHash: 'aa',
  input: null,
  output: null,
  isError: false,
  usage: null,
  costNanoUsd: 0,
  startedAt: 0,
  endedAt: 0,
  ...over,
});

export const ledger = (stepKey: string, over: Partial<LedgerRow> = {}): LedgerRow => ({
  id: `rsv_${stepKey}`,
  stepKey,
  attempt: 1,
  model: 'claude-sonnet-5-5',
  priceId: 'p',
  outcome: 'known',
  reserved: toMoney(50),
  amount: toMoney(10),
  usage: null,
  requestId: null,
  createdAt: '2026-11-21T10:00:00.000Z',
  settledAt: null,
  ...over,
});

export const detail = (over: Partial<RunDetail> = {}): RunDetail => ({
  run: run(),
  steps: [],
  ledger: [],
  waits: [],
  lastSeq: 0,
  ...over,
});

export const frame = (seq: number, body: RunEventBody, at = seq * 100): RunFrame => ({
  event: 'run',
  id: String(seq),
  data: { seq, runId: 'run_1', at, body },
});

export const text = (step: string, words: string, snapshot = false): RunFrame => ({
  event: 'text',
  data: { runId: 'run_1', step, text: words, snapshot },
});
