import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan } from '@cloutagent/contract';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../../examples/first-change', import.meta.url));
type Json = Readonly<Record<string, unknown>>;

// Each test starts whole programs, one after another; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let root: string;

const run = async (...argv: readonly string[]): Promise<{ code: number | null; text: string }> => {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: root },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
};
const json = async (...argv: readonly string[]): Promise<{ code: number | null; value: Json }> => {
  const { code, text } = await run(...argv, '--json');
  return { code, value: JSON.parse(text.trim().split('\n').at(-1) ?? '') as Json };
};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-cost-'));
  await cp(EXAMPLE, path.join(root, 'example'), { recursive: true });
  await run('init');
  await run('change', 'open', 'add-page', '--title', 'Add a page');
  await writeFile(
    path.join(root, 'openspec/changes/add-page/tasks.md'),
    '## 1. Files\n\n- [ ] 1.1 Write a.txt\n  - check: file a.txt exists\n',
  );
  await run('run', 'add-page', '--simulate', '--json');
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('[X9.commands X9.json E12.cost] clout cost', () => {
  test('summary shows what a run cost, by everything or by one thing', async () => {
    const { value } = await json('cost', 'summary', '--simulate');
    const [node] = value['byNode'] as { key: string; calls: number; cost: { nanoUsd: number } }[];
    expect(node).toMatchObject({ key: 'add-page task[1.1]', calls: value['calls'] });
    expect(node?.cost).toEqual(value['total']);
    expect(value['executionCount']).toBe(1);
    const { text } = await run('cost', 'summary', '--simulate', '--by', 'node');
    expect(text).toContain('add-page task[1.1]');
    expect(text).not.toContain('USER');
    expect((await json('cost', 'summary')).value).toMatchObject({ totalCost: 0 });
    expect((await run('cost', 'summary', '--from', 'soon')).code).toBe(2);
  });

  test('estimate and prices answer from the table', async () => {
    const asked = ['cost', 'estimate', '--model', 'claude-opus-5-5', '--input', '1000', '--output', '200'];
    expect((await run(...asked)).text).toContain('$0.008000000');
    expect((await json(...asked)).value).toMatchObject({ estimatedCost: 0.008 });
    expect((await run('cost', 'estimate', '--model', 'gpt-9', '--input', '1', '--output', '1')).code).toBe(2);
    expect((await run('cost', 'prices')).text).toMatch(/claude-sonnet-5-5 +2026-10-07 +2 +10 +2\.5 +4 +0\.1\n/u);
  });

  test('limit sets limits with their alerts, shows budgets, and takes limits away', async () => {
    const set = await json('cost', 'limit', '--daily', '$5', '--monthly', '50.5', '--alert', '80,100', '--user', 'ann');
    const limits = (
      set.value['budgets'] as { scope: string; period: string; limit: Json | null; alertThresholds: number[] }[]
    )
      .filter(({ scope, limit }) => scope === 'user' && limit !== null)
      .map(({ period, limit, alertThresholds }) => [period, limit?.['nanoUsd'], alertThresholds]);
    expect(limits).toEqual([
      ['day', 5_000_000_000, [80, 100]],
      ['month', 50_500_000_000, [80, 100]],
    ]);
    const { text } = await run('cost', 'limit', '--daily', 'none', '--user', 'ann');
    expect(text).toMatch(/user ann +\d{4}-\d{2} +\$50\.50/u);
    expect(text).not.toMatch(/user ann +\S+ +\$5\.00/u);
    expect((await run('cost', 'limit', '--daily', 'much')).code).toBe(2);
    expect((await run('cost', 'limit', '--daily', '5', '--user', 'ann', '--global')).code).toBe(2);
    expect((await run('cost', 'limit', '--alert', '50')).code).toBe(2);
    expect((await run('cost', 'alerts')).text).toContain('No alerts.');
  });

  test('[X1.pause X1.resume] a limit of the day pauses a run, and raising it lets it go on', async () => {
    await run('change', 'open', 'add-more', '--title', 'Add more');
    await writeFile(
      path.join(root, 'openspec/changes/add-more/tasks.md'),
      '## 1. Files\n\n- [ ] 1.1 Write b.txt\n  - check: file b.txt exists\n',
    );
    await run('cost', 'limit', '--daily', '0.0001', '--simulate');
    const paused = await run('run', 'add-more', '--simulate');
    expect(paused.code).toBe(6);
    expect(paused.text).toContain('clout cost limit --daily USD --simulate');
    await run('cost', 'limit', '--daily', '5', '--simulate');
    // The raise itself resumes it, in the process that owns the data folder.
    const { value } = await json('runs', 'list', '--change', 'add-more');
    expect((value['items'] as { status: string }[]).map(({ status }) => status)).toEqual(['completed']);
  });
});

describe('[X3.plan X3.ceiling] clout plan on the example', () => {
  test('quotes least, expected and ceiling for each task, the ceiling at most five times the expected, and says why', async () => {
    const { value } = await json('plan', 'add-greeting-page', '--simulate', '--cwd', path.join(root, 'example'));
    const plan = value as unknown as Plan;
    for (const { min, expected, ceiling } of [...plan.tasks, plan]) {
      expect(min?.nanoUsd ?? 0).toBeLessThanOrEqual(expected.nanoUsd);
      expect(ceiling.nanoUsd).toBeGreaterThanOrEqual(4 * expected.nanoUsd);
    }
    expect(plan.ceiling.nanoUsd).toBeLessThanOrEqual(5 * plan.expected.nanoUsd);
    // A task that finds its beginning in the cache costs less than the bound of one call, without which it could not begin.
    const [first, ...others] = plan.tasks;
    expect(first?.ceiling.nanoUsd).toBeLessThanOrEqual(5 * (first?.expected.nanoUsd ?? 0));
    for (const { expected, ceiling } of others)
      expect(ceiling.nanoUsd).toBeLessThanOrEqual(Math.max(5 * expected.nanoUsd, first?.ceiling.nanoUsd ?? 0));
    expect(plan.derivation.join(' ')).toContain('The ceiling is 4 times the expected cost');
  });
});

describe('[X9.commands X9.json] clout doctor', () => {
  test('finds nothing wrong in what the store wrote', async () => {
    const { code, text } = await run('doctor');
    expect(text).toMatch(/ok +ledger: spent equals the settled ledger/u);
    expect(code).toBe(0);
    expect((await json('doctor')).value).toMatchObject({ ok: true });
  });
});
