import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
import { codeOf, formatUsd, StreamChunk, type Run } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, startServer, type Environment, type RunningServer } from '@cloutagent/server';

const CLOUT = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));

let root: string;
let server: RunningServer;
let client: Client;

const start = async (environment: Environment = {}, ...pace: readonly string[]): Promise<void> => {
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: {
      PATH: process.env['PATH'] ?? '',
      XDG_CONFIG_HOME: path.join(root, 'config'),
      RATE_LIMIT: '0',
      ...environment,
    },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate', ...pace],
    resumeInterrupted: true,
  });
  client = createClient({ baseUrl: server.url, token: server.token });
};

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-workflow-')));
  await start();
});
afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const edge = (source: string, target: string) => ({ source, target });
const template = (id: string) => ({ id, type: 'template', data: { template: `${id}({{input}})` } }) as const;
const asking = {
  name: 'publish',
  nodes: [template('a'), { id: 'q', type: 'approval', data: {} } as const, template('b')],
  edges: [edge('a', 'q'), edge('q', 'b')],
};

const run = (workflow: object, over: object = {}): Promise<Run> =>
  client.call('workflowRun', { body: { workflow, simulate: true, ...over } as never });
const show = (id: string) => client.call('runShow', { params: { id } });
const until = async (id: string, status: Run['status']): Promise<void> => {
  await expect.poll(async () => (await show(id)).run.status, { timeout: 10_000 }).toBe(status);
};
const outputs = async (id: string): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await show(id)).steps
      .filter(({ kind }) => kind === 'node')
      .map(({ key, output }) => [key, (output as { output: unknown }).output]),
  );
const decide = async (id: string, decision: 'approve' | 'deny' = 'approve') => {
  const { items } = await client.call('approvalsList', { query: { run: id } });
  const [approval] = items;
  if (approval === undefined) throw new Error('nothing is asked');
  return client.call('approvalDecide', { params: { id: approval.id }, body: { decision, digest: approval.digest } });
};
const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );

describe('workflows over the API', () => {
  it("[E8.document E8.frames] seed 003's document runs, and its node streams frames with nodeId", async () => {
    const nodes = [
      { id: 'agent-1', type: 'agent', data: { label: 'Assistant', systemPrompt: 'You help.', maxTokens: 1024 } },
    ];
    // Text is live only: the run stands behind a slow one until its reader is there.
    await server.close();
    await start({ MAX_CONCURRENT_EXECUTIONS: '1' }, '--first-token-ms', '500');
    const ahead = Array.from({ length: 10 }, (_, n) => ({ id: `n${n}`, type: 'agent', data: {} }));
    const row = ahead.slice(1).map(({ id }, n) => edge(`n${n}`, id));
    await run({ nodes: ahead, edges: row }, { input: 'x', budget: '1' });
    const { id, kind, slug } = await run({ nodes, edges: [] }, { input: 'Hello, how are you?' });
    expect([kind, slug]).toEqual(['workflow', 'workflow']);
    const answer = await fetch(`${server.url}/api/runs/${id}/frames`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    const frames = (await answer.text())
      .split('\n')
      .filter((line) => line.startsWith('data: {"nodeId"'))
      .map((line) => JSON.parse(line.slice(6)) as { nodeId: string });
    expect(frames.map(({ nodeId }) => nodeId)).toEqual(frames.map(() => 'agent-1'));
    const chunks = frames.map((frame) => StreamChunk.parse(frame));
    const { run: ended } = await show(id);
    expect(ended.status).toBe('completed');
    const done = chunks.at(-1);
    expect(done).toMatchObject({
      type: 'done',
      result: {
        status: 'completed',
        result: expect.any(String) as string,
        cost: { totalCost: ended.money.spent.nanoUsd / 1e9 },
      },
    });
    expect(chunks.filter(({ type }) => type === 'content').length).toBeGreaterThan(0);
  });

  it('[WORKFLOW_INVALID] what cannot be run is refused with a finding at its node', async () => {
    const bad = {
      nodes: [template('a'), template('b'), { id: 'c', type: 'condition', data: { expression: 'process.exit(1)' } }],
      edges: [edge('a', 'b'), edge('b', 'a'), edge('b', 'none')],
    };
    const error = await run(bad).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe('WORKFLOW_INVALID');
    const { findings } = (error as { details: { findings: { node: string; code: string }[] } }).details;
    expect(findings.map(({ node, code }) => [node, code])).toEqual([
      ['c', 'EXPRESSION_INVALID'],
      ['b', 'NO_SUCH_NODE'],
      ['a', 'CYCLE'],
    ]);
  });

  it('[X3.ceiling] a budget above the quote gives every node more alike, but for one with a budget of its own', async () => {
    const nodes = [
      { id: 'a', type: 'agent', data: {} },
      { id: 'b', type: 'agent', data: {}, budget: '0.5' },
    ];
    const workflow = { nodes, edges: [edge('a', 'b')] };
    const plan = await client.call('workflowPlan', { body: { workflow, simulate: true, input: 'x' } });
    const quoted = plan.tasks.map(({ ceiling }) => ceiling.nanoUsd);
    const { id } = await run(workflow, { input: 'x', budget: formatUsd(3 * plan.ceiling.nanoUsd) });
    const { budgets } = await client.call('costsBudgets', { params: { projectId: 'default' }, query: { run: id } });
    const limits = budgets.flatMap(({ scope, limit }) => (scope === 'task' ? [limit?.nanoUsd] : []));
    expect(quoted[1]).toBe(500_000_000);
    expect(limits).toEqual([3 * (quoted[0] ?? 0), 500_000_000]);
  });

  it('[X2.approvals] a run waits for a person; the second decision of two is refused', async () => {
    const { id } = await run(asking, { input: 'x' });
    await until(id, 'waiting');
    expect((await show(id)).waits).toHaveLength(1);
    expect(
      await codeFrom(
        client.call('approvalDecide', { params: { id: 'apr_none' }, body: { decision: 'deny', digest: '' } }),
      ),
    ).toBe('APPROVAL_NOT_FOUND');
    const { items } = await client.call('approvalsList', { query: { run: id } });
    const decision = {
      params: { id: items[0]?.id ?? '' },
      body: { decision: 'approve' as const, digest: items[0]?.digest ?? '' },
    };
    const codes = await Promise.all([
      codeFrom(client.call('approvalDecide', decision)),
      codeFrom(client.call('approvalDecide', decision)),
    ]);
    expect(codes.toSorted()).toEqual(['APPROVAL_DECIDED', undefined]);
    await until(id, 'completed');
    expect(await outputs(id)).toMatchObject({ b: 'b(a(x))' });
  });

  it('[X2.approvals] an approval is decided by the next process too', async () => {
    const { id } = await run(asking, { input: 'x' });
    await until(id, 'waiting');
    await server.close();
    await start();
    expect((await show(id)).run.status).toBe('waiting');
    await decide(id);
    await until(id, 'completed');
  });

  it('a delay ends by itself, also where the process was away when its time came', async () => {
    const waits = {
      nodes: [{ id: 'd', type: 'delay', data: { delayMs: 2_500 } }, template('b')],
      edges: [edge('d', 'b')],
    };
    const { id } = await run(waits, { input: 'x' });
    const other = await run(waits, { input: 'y' });
    await until(id, 'waiting');
    await until(other.id, 'waiting');
    await until(id, 'completed');
    const third = await run(waits, { input: 'z' });
    await until(third.id, 'waiting');
    await server.close();
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    await start();
    await until(third.id, 'completed');
  }, 30_000);

  it('[X5.fork X5.replay] forks from a node, and replays without a call', async () => {
    const agent = (id: string) => ({ id, type: 'agent', data: { systemPrompt: id } });
    const diamond = {
      nodes: [agent('a'), agent('b'), agent('c'), agent('d')],
      edges: [edge('a', 'b'), edge('a', 'c'), edge('b', 'd')],
    };
    const { id } = await run(diamond, { input: 'x', budget: '1' });
    await until(id, 'completed');
    const forked = await client.call('runFork', { params: { id }, body: { from: 'b' } });
    expect(forked.forkedFrom).toEqual({ runId: id, step: 'b' });
    await until(forked.id, 'completed');
    expect((await show(forked.id)).ledger.map(({ stepKey }) => stepKey)).toEqual([
      'b/try[0]/turn[0]',
      'd/try[0]/turn[0]',
    ]);
    expect(await codeFrom(client.call('runFork', { params: { id }, body: { from: 'zzz' } }))).toBe('STEP_NOT_FOUND');
    const replayed = await client.call('runReplay', { params: { id }, body: {} });
    expect(replayed).toMatchObject({ equal: 4, divergences: [], modelCalls: 0 });
    const changed = {
      ...diamond,
      nodes: [agent('a'), { ...agent('b'), data: { systemPrompt: 'new' } }, agent('c'), agent('d')],
    };
    const diverged = await client.call('runReplay', { params: { id }, body: { workflow: changed } });
    expect(diverged.divergences.map(({ node, kind }) => [node, kind])).toEqual([['b', 'input']]);
  });

  it('[PAUSED] pauses and goes on; what waits cannot be paused', async () => {
    const { id } = await run(asking, { input: 'x' });
    await until(id, 'waiting');
    expect(await codeFrom(client.call('runPause', { params: { id } }))).toBe('RUN_NOT_RESUMABLE');
    await client.call('runCancel', { params: { id } });
    expect((await show(id)).run.status).toBe('cancelled');
    expect((await client.call('approvalsList', { query: { run: id } })).items).toEqual([]);
  });

  it('has a price tag, whose ceiling is the limit of the run', async () => {
    const nodes = [{ id: 'a', type: 'agent', data: { systemPrompt: 'Work.' } }, template('b')];
    const plan = await client.call('workflowPlan', { body: { workflow: { nodes }, simulate: true } });
    expect(plan.tasks.map(({ id, expectedCalls }) => [id, expectedCalls])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
    expect(plan.ceiling.nanoUsd).toBeGreaterThan(plan.expected.nanoUsd);
    expect(plan.ceiling.nanoUsd).toBeLessThanOrEqual(5 * plan.expected.nanoUsd);
    const { id } = await run({ nodes }, { input: 'x' });
    expect((await show(id)).run.money.limit).toEqual(plan.ceiling);
    await until(id, 'completed');
  });
});

describe('stored workflows over the API', () => {
  const named = (text: string) => ({ name: 'shout', nodes: [{ ...template('t'), data: { template: text } }] }) as never;

  it('have versions that never change, without a gap however many are stored at once', async () => {
    const stored = await Promise.all(
      ['a', 'b', 'c', 'd'].map((text) => client.call('workflowImport', { body: { workflow: named(text) } })),
    );
    expect(stored.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    const params = { name: 'shout' };
    const one = await client.call('workflowExport', { params, query: { version: 1 } });
    const rolled = await client.call('workflowRollback', { params, body: { version: 1 } });
    expect(rolled).toMatchObject({ version: 5, rolledBackTo: 1, hash: one.hash, createdBy: one.createdBy });
    expect((await client.call('workflowExport', { params, query: {} })).workflow).toEqual(one.workflow);
    expect(await client.call('workflowExport', { params, query: { version: 1 } })).toEqual(one);
    expect(await client.call('workflowDiff', { params, query: { from: 1, to: 2 } })).toMatchObject({
      changes: [{ what: 'node', id: 't', kind: 'changed' }],
    });
    const { versions } = await client.call('workflowVersions', { params });
    expect(versions.map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
    expect(await client.call('workflowsList')).toMatchObject({ workflows: [{ name: 'shout', version: 5 }] });
    expect(await codeFrom(client.call('workflowImport', { body: { workflow: { nodes: [template('t')] } } }))).toBe(
      'WORKFLOW_INVALID',
    );
    expect(await codeFrom(client.call('workflowVersions', { params: { name: 'none' } }))).toBe('WORKFLOW_NOT_FOUND');
  });

  it('are judged with those that the request brings along, and the stored ones', async () => {
    const outer = { nodes: [{ id: 's', type: 'workflow', data: { workflow: 'shout' } }] } as never;
    const judge = (workflows: object) =>
      client.call('workflowValidate', { body: { workflow: outer, workflows: workflows as never } });
    expect(await judge({})).toMatchObject({ valid: false, findings: [{ code: 'NO_SUCH_WORKFLOW', node: 's' }] });
    expect(await judge({ shout: named('x') })).toEqual({ valid: true, findings: [] });
    await client.call('workflowImport', { body: { workflow: named('x') } });
    expect(await judge({})).toEqual({ valid: true, findings: [] });
  });
});

describe('many runs', () => {
  it('[E13.concurrent] queue beyond MAX_CONCURRENT_EXECUTIONS, and all complete', async () => {
    await server.close();
    await start({ MAX_CONCURRENT_EXECUTIONS: '2' });
    const agent = { nodes: [{ id: 'a', type: 'agent', data: { systemPrompt: 'x' } }] };
    const started = await Promise.all(Array.from({ length: 8 }, () => run(agent, { input: 'x' })));
    expect(started.filter(({ status }) => status === 'queued').length).toBeGreaterThan(0);
    for (const { id } of started) await until(id, 'completed');
  }, 30_000);
});
