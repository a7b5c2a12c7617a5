import { readFileSync } from 'node:fs';
import type { MoneyOp } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { projectLevel } from '../budget/levels.ts';
import { createAnthropicModel } from '../model/anthropic.ts';
import { KEY, serve } from '../model/messages-server.fake.ts';
import { loadPrices, priceFor, priceOf } from '../model/price.ts';
import { openMemoryJournal } from '../workflow/memory-journal.ts';
import { CONFIG, SERVER } from './agents.fake.ts';
import { openAgents } from './agents.ts';
import { FAULTS } from './faults.fake.ts';
import { toolOf } from './tool-port.fake.ts';

const page = readFileSync(new URL('../../../../docs/reference/faults.md', import.meta.url), 'utf8');

interface Row {
  readonly fault: string;
  readonly requests: number;
  readonly status: string;
  readonly code: string;
  readonly category: string;
  readonly billed: string;
  readonly userMessage: string;
}

const ROWS: readonly Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.startsWith('| fault'))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  .map(([fault = '', requests, status = '', code = '', category = '', billed = '', userMessage = '']) => ({
    fault,
    requests: Number(requests),
    status,
    code,
    category,
    billed,
    userMessage,
  }));

const PROJECT = projectLevel('p', false);
const MODEL = 'claude-sonnet-5-5';
/** What one answer of the fault server costs. */
const USAGE = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 };
const ANSWER_NANO = priceOf(priceFor(loadPrices(), MODEL), USAGE);

/** What the budget must be charged, from the bounds that were reserved. */
const charged = (billed: string, bounds: readonly number[], answers: number): number => {
  const sum = (count: number): number => bounds.slice(0, count).reduce((total, bound) => total + bound, 0);
  switch (billed) {
    case 'nothing':
      return 0;
    case 'usage':
      return answers * ANSWER_NANO;
    case 'bound':
      return sum(1);
    case '4 bounds':
      return sum(4);
    case 'bound and usage':
      return sum(1) + ANSWER_NANO;
    default:
      throw new Error(`docs/reference/faults.md: nobody knows what "${billed}" is`);
  }
};

const run = async (row: Row) => {
  const fault = FAULTS[row.fault];
  if (fault === undefined) throw new Error(`nobody provokes "${row.fault}"`);
  let nth = -(fault.outagesBefore ?? 0);
  using server = await serve((request, response, body) => fault.answer(nth++)(request, response, body));
  if (fault.nobodyListens === true) server[Symbol.dispose]();
  const journal = openMemoryJournal(systemClock);
  journal.setLimit(PROJECT, fault.limitNanoUsd ?? null);
  const ops: MoneyOp[] = [];
  const model = createAnthropicModel({
    baseUrl: server.url,
    apiKey: KEY,
    clock: systemClock,
    idleMs: fault.idleMs ?? 5000,
    timeoutMs: fault.timeoutMs ?? 10_000,
  });
  const tools = new Map([['mcp__files__read', { ...toolOf('read'), server: 'files' }]]);
  const agents = openAgents({
    journal: {
      ...journal,
      commit: async (claim, unit) => {
        const committed = await journal.commit(claim, unit);
        ops.push(...(unit.money ?? []));
        return committed;
      },
    },
    clock: systemClock,
    // No jitter: repetitions follow at once.
    random: () => 0,
    model: () => model,
    openTools: async () => ({
      port: { tools: () => tools, call: fault.call ?? (() => Promise.reject(new Error('no tool'))) },
      connections: [],
      close: async () => undefined,
    }),
    prices: loadPrices(),
    simulated: false,
    projectId: 'p',
  });
  await agents.createAgent({ ...CONFIG, model: MODEL, mcpServers: [{ ...SERVER, id: 'files' }] });
  for (let outage = 0; outage < (fault.outagesBefore ?? 0); outage += 1) {
    const request = { model: MODEL, system: '', messages: [], tools: [], maxTokens: 1 };
    const call = { signal: new AbortController().signal, idempotencyKey: 'k' };
    await expect(model.stream(request, call)[Symbol.asyncIterator]().next()).rejects.toThrow('529');
  }
  const before = server.seen.count;
  const ends: string[] = [];
  const result = await agents.streamExecution(
    { id: CONFIG.id },
    'Go',
    (chunk) => {
      if (fault.readerFails === true && chunk.type === 'content') throw new Error('the reader has gone');
      if (chunk.type === 'error' || chunk.type === 'done') ends.push(chunk.type);
    },
    fault.options?.(),
  );
  const [budget] = await journal.budgets([PROJECT]);
  const proven = new Map(ops.flatMap((op) => (op.op === 'proven' ? [[op.id, op.boundNanoUsd] as const] : [])));
  const bounds = ops.flatMap((op) => (op.op === 'reserve' ? [proven.get(op.id) ?? op.amountNanoUsd] : []));
  const whole = ops.filter((op) => op.op === 'settle' && op.outcome === 'known').length;
  return { result, requests: server.seen.count - before, budget, bounds, whole, ends, open: journal.size };
};

describe('[E3.errors] [E11.categories] [E11.partial] [E2.failures] docs/reference/faults.md', () => {
  it('and the tests know the same faults', () => {
    expect(ROWS.map(({ fault }) => fault).sort()).toEqual(Object.keys(FAULTS).sort());
    expect(ROWS.length).toBeGreaterThan(50);
  });

  it.each(ROWS.map((row) => [row.fault, row] as const))('%s', { timeout: 15_000 }, async (_fault, row) => {
    const { result, requests, budget, bounds, whole, ends, open } = await run(row);
    expect({
      fault: row.fault,
      requests,
      status: result.status,
      code: result.errorCode ?? '',
      category: result.errorCategory ?? '',
      billed: row.billed,
      userMessage: result.userMessage ?? '',
    }).toEqual(row);
    expect(budget?.spentNanoUsd).toBe(charged(row.billed, bounds, whole));
    expect(budget?.heldNanoUsd).toBe(0);
    expect(result.costNanoUsd ?? 0).toBe(budget?.spentNanoUsd);
    expect(ends.filter((type) => type === 'done')).toHaveLength(1);
    expect(ends).toEqual(row.status === 'completed' ? ['done'] : ['error', 'done']);
    expect(open).toBe(0);
    expect(JSON.stringify(result)).not.toContain(KEY);
  });
});
