import { loadPrices, priceFor, priceOf } from '@cloutagent/engine';
import { expect } from 'vitest';
import type { Store } from '@cloutagent/store';
import { echo, lastText, openWorkflowBench, type WorkflowBench } from './workflow-bench.ts';

const edge = (source: string, target: string, branch?: 'then' | 'else') =>
  ({ source, target, ...(branch === undefined ? {} : { branch }) }) as const;
const agent = (id: string, data: object = {}) => ({ id, type: 'agent', data: { systemPrompt: id, ...data } }) as const;
const template = (id: string) => ({ id, type: 'template', data: { template: `${id}({{input}})` } }) as const;

/** Twelve nodes: parallel branches, a map, a tool by key and one without, a condition, an approval. */
const TWELVE = {
  nodes: [
    { id: 'in', type: 'input' } as const,
    agent('left'),
    agent('right', { mcpServers: ['filesystem'] }),
    { id: 'put', type: 'tool', data: { server: 'filesystem', tool: 'put', arguments: { text: '{{input}}' } } } as const,
    { id: 'list', type: 'template', data: { template: 'one\ntwo' } } as const,
    {
      id: 'map',
      type: 'map',
      data: { nodes: [agent('each'), template('mark')], edges: [edge('each', 'mark')] },
    } as const,
    { id: 'if', type: 'condition', data: { expression: 'length(input) > 3' } } as const,
    template('no'),
    { id: 'ask', type: 'approval', data: {} } as const,
    {
      id: 'send',
      type: 'tool',
      data: { server: 'filesystem', tool: 'send', arguments: { text: '{{input}}' } },
    } as const,
    agent('last'),
    { id: 'out', type: 'output' } as const,
  ],
  edges: [
    edge('in', 'left'),
    edge('in', 'right'),
    edge('left', 'put'),
    edge('right', 'list'),
    edge('list', 'map'),
    edge('put', 'if'),
    edge('map', 'if'),
    edge('if', 'ask', 'then'),
    edge('if', 'no', 'else'),
    edge('ask', 'send'),
    edge('send', 'last'),
    edge('last', 'out'),
    edge('no', 'out'),
  ],
};

const script: typeof echo = (request, nth) =>
  request.system === 'right' && !lastText(request).includes('tool_result')
    ? { content: [{ type: 'tool_use', id: 'u1', name: 'mcp__filesystem__look', input: {} }], stopReason: 'tool_use' }
    : echo(request, nth);

/** The process dies at its nth commit: before anything is stored, or after all of it is and before it hears so. */
const dyingStore = (
  store: Store,
  at: number,
  when: 'before' | 'after',
): { readonly store: Store; readonly died: Promise<void>; commits(): number } => {
  let count = 0;
  let dead = false;
  let onDeath: () => void = () => undefined;
  const died = new Promise<void>((resolve) => (onDeath = resolve));
  const never = new Promise<never>(() => undefined);
  const commit: Store['commit'] = async (claim, unit) => {
    // A dead process does nothing any more, whatever of it was under way.
    if (dead) return never;
    count += 1;
    if (count < at) return store.commit(claim, unit);
    dead = true;
    if (when === 'after') await store.commit(claim, unit);
    onDeath();
    return never;
  };
  return { store: { ...store, commit }, died, commits: () => count };
};

const approveAll = async (bench: WorkflowBench): Promise<void> => {
  const { items } = await bench.store.approvals({ projectId: 'default', pending: true, limit: 10, offset: 0 });
  for (const { id, digest } of items) await bench.store.decide(id, { decision: 'approve', digest, by: 'Ada' });
};

/** Goes on as often as it takes; whatever a person has to decide is decided. Gives how often an effect was unknown. */
const finish = async (bench: WorkflowBench, runId: string): Promise<number> => {
  let unknown = 0;
  // Its last write may have been the one after which the process died.
  if ((await bench.detail(runId)).run.status === 'completed') return unknown;
  for (let tries = 0; tries < 8; tries += 1) {
    const status = await bench.drive(runId, unknown > 0 ? { unknown: 'repeat' } : {});
    if (status === 'completed') return unknown;
    if (status === 'waiting') await approveAll(bench);
    else if (status === 'paused') unknown += 1;
    else throw new Error(`the run is ${status}`);
  }
  throw new Error('the run does not complete');
};

const expectWhole = async (bench: WorkflowBench, runId: string, output: unknown, kills: number): Promise<void> => {
  const { run, steps, ledger } = await bench.detail(runId);
  expect(run.status).toBe('completed');
  expect((await bench.outputs(runId))['out']).toEqual(output);
  // A step that ran twice would stand twice, or be missing.
  expect(new Set(steps.map(({ key }) => key)).size).toBe(steps.length);
  const price = priceFor(loadPrices(), 'claude-sonnet-5-5');
  const billOf = (key: string): readonly number[] =>
    bench.model.calls
      .filter((call) => call.idempotencyKey.startsWith(`${runId}:${key}#`))
      .map(({ usage }) => (usage === null ? 0 : priceOf(price, usage)));
  let surplus = 0;
  for (const { key } of steps.filter(({ kind }) => kind === 'model')) {
    const rows = ledger.filter((row) => row.stepKey === key);
    const bills = billOf(key);
    surplus += bills.length - 1;
    // Of one step all calls cost the same here, so that the known row is the bill, and the unknown ones are above it.
    expect(rows.filter(({ outcome }) => outcome === 'known').map(({ amount }) => amount.nanoUsd)).toEqual([bills[0]]);
    for (const row of rows.filter(({ outcome }) => outcome === 'unknown')) {
      expect(row.amount.nanoUsd).toBeGreaterThanOrEqual(bills[0] ?? 0);
      expect(row.amount.nanoUsd).toBeLessThanOrEqual(row.reserved.nanoUsd);
    }
  }
  // Two branches may each have had a call under way.
  expect(surplus).toBeLessThanOrEqual(2 * kills);
  expect(run.money.held.nanoUsd).toBe(0);
  expect(await bench.store.checkInvariants()).toEqual([]);
};

/** How often each tool has acted. */
const effects = (bench: WorkflowBench, tool: string): number =>
  bench.tools.calls.filter((call) => call.tool === tool).length;
const keys = (bench: WorkflowBench, tool: string): number =>
  new Set(bench.tools.calls.filter((call) => call.tool === tool).map(({ idempotencyKey }) => idempotencyKey)).size;

/**
 * Lets the process of a run die at every `stride`-th write of it, before and after the write is stored, and finishes the run
 * each time. Every boundary of a step is a write, so that these are among them.
 */
export const dieAtEveryWrite = async (
  stride: number,
): Promise<{ readonly writes: number; readonly deaths: number }> => {
  await using whole = await openWorkflowBench({ script });
  const reference = await whole.start(TWELVE, { input: 'x' });
  const counted = dyingStore(whole.store, Number.POSITIVE_INFINITY, 'before');
  await whole.drive(reference, { store: counted.store });
  await approveAll(whole);
  await whole.drive(reference, { store: counted.store });
  const writes = counted.commits();
  const { out } = await whole.outputs(reference);
  await expectWhole(whole, reference, out, 0);

  await using bench = await openWorkflowBench({ script });
  let deaths = 0;
  for (const when of ['before', 'after'] as const) {
    // Another place for each kind, so that more of them are met.
    for (let at = when === 'before' ? 1 : Math.min(2, stride); at <= writes; at += stride) {
      const runId = await bench.start(TWELVE, { input: 'x', id: `run_${when}_${at}` });
      const sends = effects(bench, 'send');
      const puts = keys(bench, 'put');
      const dying = dyingStore(bench.store, at, when);
      // Everything up to the approval is in the first life, and the rest in the second one.
      for (let life = 0; life < 2; life += 1) {
        const status = await Promise.race([bench.drive(runId, { store: dying.store }), dying.died]);
        if (status === undefined) {
          deaths += 1;
          break;
        }
        await approveAll(bench);
      }
      const unknown = await finish(bench, runId);
      await expectWhole(bench, runId, out, 1);
      // By key: exactly one effect. Without: never again but by the word of a person.
      expect(keys(bench, 'put') - puts).toBe(1);
      expect(effects(bench, 'send') - sends).toBeGreaterThanOrEqual(1);
      expect(effects(bench, 'send') - sends).toBeLessThanOrEqual(1 + unknown);
    }
  }
  return { writes, deaths };
};
