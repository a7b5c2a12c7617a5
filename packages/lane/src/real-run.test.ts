import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Receipt } from '@cloutagent/contract';
import { createAnthropicModel, hashOf, type ToolPort } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { openStdioServer, toWireNames } from '@cloutagent/mcp';
import { archiveChange } from '@cloutagent/openspec';
import { startSimulator } from '@cloutagent/simulator';
import { openStore } from '@cloutagent/store';
import { describe, expect, it } from 'vitest';
import { driveRun } from './drive.ts';
import { openLane, openTempProject, TASKS_FILE } from './lane.fake.ts';
import { planChange } from './plan.ts';
import { makeReceipt } from './receipt.ts';
import { startRun } from './start.ts';

const SERVER = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js');

const titles = ['Write the breads', 'Write the rolls', 'Write the cakes', 'Write the drinks', 'Write the offers'];
const tasks = (list: readonly string[], folder: string): string =>
  `## 1. Notes\n\n${list.map((title, at) => `- [ ] 1.${at + 1} ${title}\n  - check: file ${folder}part-${at + 1}.md exists\n  - check: file ${folder}part-${at + 1}.md contains "Part ${at + 1} of the \\"list\\""\n`).join('')}`;

interface Logged {
  readonly idempotencyKey: string;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cache_read_input_tokens: number;
    readonly cache_creation_input_tokens: number;
  };
}

const open = async (list: readonly string[], folder: string) => {
  const project = await openTempProject(tasks(list, folder));
  const dataDir = path.join(project.root, '.cloutagent');
  const store = await openStore({ dir: dataDir, clock: systemClock });
  const logFile = path.join(dataDir, 'requests.jsonl');
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1', logFile });
  const model = createAnthropicModel({ baseUrl: simulator.url, apiKey: 'simulated', clock: systemClock });
  const server = await openStdioServer(
    {
      transport: 'stdio',
      id: 'filesystem',
      command: process.execPath,
      args: [SERVER, project.root],
      env: {},
      cwd: project.root,
    },
    { env: { PATH: process.env['PATH'] }, clock: systemClock, log: () => undefined },
  );
  const names = toWireNames(server.tools());
  const tools: ToolPort = {
    tools: () => names,
    call: (tool, input, options) => server.call(tool.name, input, options),
  };
  const deps = await openLane({ root: project.root, journal: store, model, clock: systemClock, tools });
  const drive = (runId: string) =>
    driveRun(deps, runId, { signal: new AbortController().signal, onText: () => undefined, onEvents: () => undefined });
  const requests = async (): Promise<Logged[]> =>
    (await readFile(logFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Logged);
  const close = async (): Promise<void> => {
    await server.close();
    await simulator.close();
    await store.close();
    await project[Symbol.asyncDispose]();
  };
  return { project, store, deps, drive, requests, [Symbol.asyncDispose]: close };
};

/** claude-sonnet-5-5 by the published list: $2 and $10 per million tokens, $0.10 and $2.50 to read and write the cache. */
const billOf = (requests: readonly Logged[]): number =>
  requests.reduce(
    (sum, { usage }) =>
      sum +
      usage.input_tokens * 2000 +
      usage.output_tokens * 10_000 +
      usage.cache_read_input_tokens * 100 +
      usage.cache_creation_input_tokens * 2500,
    0,
  );

/** The same requests without a cache. */
const plainBillOf = (requests: readonly Logged[]): number =>
  requests.reduce(
    (sum, { usage }) =>
      sum +
      (usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens) * 2000 +
      usage.output_tokens * 10_000,
    0,
  );

describe('a run on the simulator, with the real store and real files', () => {
  it.each([
    ['beside each other', '', titles],
    ['in a folder', 'notes/', titles],
    ['in a folder, one of them wrong at first', 'notes/', titles.with(2, 'Write the cakes (wrong first)')],
  ])(
    '[X3.plan X1.ledger-exact X3.receipt] costs what the plan expects within 30 percent for files %s, and the receipt proves it',
    async (_where, folder, list) => {
      await using bench = await open(list, folder);
      const { deps, store } = bench;
      const plan = await planChange(deps, { slug: 'add-notes', simulated: true });
      const runId = await startRun(deps, { slug: 'add-notes', simulated: true });
      expect(await bench.drive(runId)).toBe('completed');
      expect(await bench.project.read(TASKS_FILE)).not.toContain('[ ]');

      const { run, ledger } = await store.run(runId);
      const bill = billOf(await bench.requests());
      expect(run.money).toMatchObject({ limit: plan.ceiling, spent: { nanoUsd: bill }, held: { nanoUsd: 0 } });
      expect(bill / plan.expected.nanoUsd).toBeGreaterThan(0.7);
      expect(bill / plan.expected.nanoUsd).toBeLessThan(1.3);
      // What was sent before is read from the cache, so that four turns a task cost less than two would without it.
      expect(bill).toBeLessThan(0.4 * plainBillOf(await bench.requests()));
      expect(ledger.every((row) => row.outcome === 'known' && row.amount.nanoUsd <= row.reserved.nanoUsd)).toBe(true);
      expect(ledger[0]?.priceId).toBe('claude-sonnet-5-5@2026-10-07');
      expect(await store.checkInvariants()).toEqual([]);

      const archived = await archiveChange(deps.project, {
        slug: 'add-notes',
        receipt: (draft) => makeReceipt(deps, { ...draft, by: 'ada' }),
      });
      const receipt = Receipt.parse(JSON.parse(await bench.project.read(archived.receiptPath)));
      expect(receipt).toMatchObject({
        by: 'ada',
        ledger: 'consulted',
        cost: { billed: { nanoUsd: 0 }, simulated: { nanoUsd: bill } },
        runs: [{ id: runId, status: 'completed', simulated: true, modelCalls: ledger.length, unknownOutcomes: 0 }],
      });
      expect(receipt.runs[0]?.toolCalls.map(({ ok }) => ok)).not.toContain(false);
      expect(receipt.tasks.map(({ verification, runId: proof }) => [verification, proof])).toEqual(
        titles.map(() => ['checked', runId]),
      );
      const { hash, ...rest } = receipt;
      expect(hash).toBe(hashOf(rest));
    },
  );

  it('[X1.pause X1.resume] with half the expected cost finishes a task, pauses, and after a raise repeats nothing', async () => {
    // Half of a few tasks would be less than the bound of one call.
    const many = Array.from({ length: 20 }, (_, at) => (at === 2 ? 'Write it (wrong first)' : `Write part ${at}`));
    await using bench = await open(many, 'notes/');
    const { deps, store } = bench;
    const plan = await planChange(deps, { slug: 'add-notes', simulated: true });
    const limitNanoUsd = Math.floor(plan.expected.nanoUsd / 2);
    const runId = await startRun(deps, { slug: 'add-notes', simulated: true, limitNanoUsd });
    expect(await bench.drive(runId)).toBe('paused');
    const before = await store.run(runId);
    expect(before.run.reason?.code).toBe('BUDGET_EXHAUSTED');
    expect(before.run.tasks.filter(({ status }) => status === 'done').length).toBeGreaterThanOrEqual(1);
    expect(before.run.money.spent.nanoUsd).toBeLessThanOrEqual(limitNanoUsd);

    const level = { scope: 'run', id: runId } as const;
    await store.setLimit({ level, period: 'lifetime', limitNanoUsd: 500_000_000, by: 'test' });
    expect(await bench.drive(runId)).toBe('completed');
    const requests = await bench.requests();
    const steps = requests.map(({ idempotencyKey }) => idempotencyKey.replace(/#.*/u, ''));
    expect(new Set(steps).size).toBe(steps.length);
    const after = await store.run(runId);
    expect(after.run.money.spent.nanoUsd).toBe(billOf(requests));
    expect(after.steps.filter(({ kind }) => kind === 'model')).toHaveLength(steps.length);
  });
});
