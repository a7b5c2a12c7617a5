import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
import type { Plan, Run } from '@cloutagent/contract';
import { createLog, startServer, type RunningServer } from '@cloutagent/server';
import { afterAll, beforeAll, expect, it } from 'vitest';

const CLOUT = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));
/** What a model says is as long as what it is asked, and twice in the second node. */
const SCENARIO = {
  format: 1,
  name: 'echo',
  rules: [
    { when: { system: 'Twice', lastMessage: { regex: '(?:word )+' } }, answer: { text: '{{match.0}}{{match.0}}' } },
    { when: { lastMessage: { regex: '(?:word )+' } }, answer: { text: '{{match.0}}' } },
  ],
};
const agent = (id: string, systemPrompt: string) => ({ id, type: 'agent', data: { systemPrompt } });
const WORKFLOW = {
  name: 'echo',
  nodes: [
    agent('draft', 'Once'),
    agent('long', 'Twice'),
    { id: 'rare', type: 'condition', data: { expression: 'length(input) > 650' } },
    agent('extra', 'Once'),
  ],
  edges: [
    { source: 'draft', target: 'long' },
    { source: 'draft', target: 'rare' },
    { source: 'rare', target: 'extra', branch: 'then' },
  ],
};
const RUNS = 200;
const AT_ONCE = 10;

let root: string;
let server: RunningServer;
let client: Client;

const start = async (): Promise<void> => {
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: path.join(root, 'config'), RATE_LIMIT: '0' },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate', '--scenario', path.join(root, 'scenario.json')],
    resumeInterrupted: true,
  });
  client = createClient({ baseUrl: server.url, token: server.token });
};

beforeAll(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-estimate-')));
  await writeFile(path.join(root, 'scenario.json'), JSON.stringify(SCENARIO));
  await start();
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const body = (input: string) => ({ workflow: WORKFLOW, input, simulate: true }) as never;
const plan = (): Promise<Plan> => client.call('workflowPlan', { body: body('word ') });
const runOf = async (input: string): Promise<Run> => {
  const { id } = await client.call('workflowRun', { body: body(input) });
  let run: Run | undefined;
  await expect
    .poll(async () => (run = (await client.call('runShow', { params: { id } })).run).status, { timeout: 60_000 })
    .toMatch(/completed|failed|paused/u);
  if (run?.status !== 'completed') throw new Error(`${run?.status}: ${run?.reason?.message}`);
  return run;
};

it('[X3.plan X3.ceiling] 200 runs of a workflow never cost more than the quote, and what is expected is learned from ten', async () => {
  // Inputs differ threefold.
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const input = (): string => 'word '.repeat(60 + Math.floor(120 * random()));
  const costs: number[] = [];
  const plans: Plan[] = [await plan()];
  expect(plans[0]?.derivation.join('\n')).not.toMatch(/the mean of the last/u);
  while (costs.length < RUNS) {
    const quoted = await plan();
    const runs = await Promise.all(Array.from({ length: AT_ONCE }, () => runOf(input())));
    for (const { money } of runs) {
      costs.push(money.spent.nanoUsd);
      // The ceiling is that of the last runs when it starts, and others end meanwhile.
      expect(money.spent.nanoUsd).toBeLessThanOrEqual(money.limit?.nanoUsd ?? 0);
      expect(money.spent.nanoUsd).toBeLessThanOrEqual(quoted.ceiling.nanoUsd);
    }
    plans.push(await plan());
  }
  // What was learned is kept.
  await server.close();
  await start();
  expect(await plan()).toEqual(plans.at(-1));
  const mean = costs.reduce((total, cost) => total + cost, 0) / costs.length;
  const learned = plans.slice(2);
  expect(learned.length).toBeGreaterThan(15);
  for (const { expected, min, ceiling, derivation, tasks } of learned) {
    expect(Math.abs(expected.nanoUsd / mean - 1)).toBeLessThan(0.3);
    expect(min?.nanoUsd).toBeLessThanOrEqual(expected.nanoUsd);
    expect(ceiling.nanoUsd).toBe(tasks.reduce((total, task) => total + task.ceiling.nanoUsd, 0));
    expect(derivation.join('\n')).toMatch(/the mean of the last \d+ run\(s\) of the same workflow/u);
  }
  // A branch that is taken now and then is expected as seldom.
  const extra = learned.at(-1)?.tasks.find(({ id }) => id === 'extra');
  const draft = learned.at(-1)?.tasks.find(({ id }) => id === 'draft');
  expect(extra?.min?.nanoUsd).toBe(0);
  expect(extra?.expected.nanoUsd).toBeGreaterThan(0);
  expect(extra?.expected.nanoUsd).toBeLessThan(draft?.expected.nanoUsd ?? 0);
}, 180_000);
