import { codeOf } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { keptRows } from './fork.ts';
import { hashOf } from './hash.ts';
import { replayWorkflow } from './replay.ts';
import {
  lastText,
  levelsOf,
  openWorkflowBench,
  runDocument,
  type WorkflowBench,
} from '../../../../test/support/workflow-bench.ts';

const edge = (source: string, target: string) => ({ source, target }) as const;
const agent = (id: string, systemPrompt = id) => ({ id, type: 'agent', data: { systemPrompt } }) as const;
const diamond = {
  nodes: [agent('a'), agent('b'), agent('c'), agent('d')],
  edges: [edge('a', 'b'), edge('a', 'c'), edge('b', 'd')],
};

const forked = async (bench: WorkflowBench, runId: string, document: ReturnType<typeof runDocument>, from: string) => {
  const { steps } = await bench.detail(runId);
  const seeded = keptRows(document, steps, from);
  const id = `${runId}_fork`;
  const pinned = { ...document, forkedFrom: { runId, step: from } };
  const run = {
    id,
    projectId: 'default',
    document: pinned,
    documentHash: hashOf(pinned),
    simulated: true,
    limitNanoUsd: null,
    seeded,
  };
  await bench.store.start(
    run,
    levelsOf(run).map((level) => ({ ...level, limitNanoUsd: null })),
  );
  return id;
};

describe('a fork', () => {
  it('[X5.fork] from b in a → {b, c}, b → d keeps a and c, and runs b and d only', async () => {
    await using bench = await openWorkflowBench();
    const document = runDocument(diamond, { input: 'x' });
    const runId = await bench.start(diamond, { input: 'x' });
    expect(await bench.drive(runId)).toBe('completed');
    const before = bench.model.calls.length;
    const id = await forked(bench, runId, document, 'b');
    expect(await bench.drive(id)).toBe('completed');
    expect(bench.model.calls.slice(before).map(({ request }) => request.system)).toEqual(['b', 'd']);
    const { run, ledger } = await bench.detail(id);
    expect(ledger.map(({ stepKey }) => stepKey)).toEqual(['b/try[0]/turn[0]', 'd/try[0]/turn[0]']);
    expect(run.money.spent.nanoUsd).toBe(ledger.reduce((sum, { amount }) => sum + amount.nanoUsd, 0));
    expect(run.forkedFrom).toEqual({ runId, step: 'b' });
    expect(await bench.outputs(id)).toEqual(await bench.outputs(runId));
  });

  it('takes a changed prompt from the forked node on', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(diamond, { input: 'x' });
    await bench.drive(runId);
    const changed = { ...diamond, nodes: [agent('a'), agent('b', 'other'), agent('c'), agent('d')] };
    const id = await forked(bench, runId, runDocument(changed, { input: 'x' }), 'b');
    expect(await bench.drive(id)).toBe('completed');
    expect((await bench.outputs(id))['d']).toBe('<d:<other:<a:x>>>');
  });

  it('[X2.diverged DIVERGED] refuses to go on where a kept step would have been another', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(diamond, { input: 'x' });
    await bench.drive(runId);
    const changed = { ...diamond, nodes: [agent('a', 'changed'), agent('b'), agent('c'), agent('d')] };
    const id = await forked(bench, runId, runDocument(changed, { input: 'x' }), 'b');
    expect(await bench.drive(id)).toBe('failed');
    expect((await bench.detail(id)).run.reason).toMatchObject({ code: 'DIVERGED', details: { step: 'a' } });
  });

  it('from a turn of an agent pays only for what comes from there on', async () => {
    await using bench = await openWorkflowBench({
      script: (request, nth) =>
        lastText(request).includes('tool_result')
          ? say(`done ${nth}`)
          : {
              content: [{ type: 'tool_use', id: 't1', name: 'mcp__filesystem__look', input: {} }],
              stopReason: 'tool_use',
            },
    });
    const document = { nodes: [{ id: 'a', type: 'agent', data: { mcpServers: ['filesystem'] } } as const] };
    const runId = await bench.start(document, { input: 'x' });
    await bench.drive(runId);
    const id = await forked(bench, runId, runDocument(document, { input: 'x' }), 'a/try[0]/turn[1]');
    expect(await bench.drive(id)).toBe('completed');
    expect(bench.tools.calls).toHaveLength(1);
    expect((await bench.detail(id)).ledger.map(({ stepKey }) => stepKey)).toEqual(['a/try[0]/turn[1]']);
  });

  it('inside of a map keeps the other items', async () => {
    await using bench = await openWorkflowBench();
    const document = {
      nodes: [
        { id: 'm', type: 'map', data: { nodes: [agent('p'), agent('q')], edges: [edge('p', 'q')] } } as const,
        agent('z'),
      ],
      edges: [edge('m', 'z')],
    };
    const runId = await bench.start(document, { input: 'one\ntwo' });
    await bench.drive(runId);
    const before = bench.model.calls.length;
    const id = await forked(bench, runId, runDocument(document, { input: 'one\ntwo' }), 'm/map[1]/q');
    expect(await bench.drive(id)).toBe('completed');
    expect(bench.model.calls.slice(before).map(({ request }) => `${request.system} ${lastText(request)}`)).toEqual([
      'q <p:two>',
      'z <q:<p:one>>\n\n<q:<p:two>>',
    ]);
  });

  it.each(['none', 'a/try[7]', 'm/none', 'a/map[0]'])('[STEP_NOT_FOUND] refuses %s', async (from) => {
    let code: unknown;
    try {
      keptRows(runDocument(diamond), [], from);
    } catch (error) {
      code = codeOf(error);
    }
    expect(code).toBe('STEP_NOT_FOUND');
  });
});

describe('a replay', () => {
  const replayOf = async (bench: WorkflowBench, runId: string, document: ReturnType<typeof runDocument>) => {
    const { steps } = await bench.detail(runId);
    const run = { id: runId, projectId: 'default', document, documentHash: '', simulated: true, limitNanoUsd: null };
    return replayWorkflow({ run, steps }, document, bench.deps.ports, systemClock);
  };
  const mixed = {
    nodes: [
      agent('a'),
      { id: 'if', type: 'condition', data: { expression: 'contains(input, "x")' } } as const,
      { id: 'm', type: 'map', data: { nodes: [agent('p')] } } as const,
      agent('never'),
      { id: 'end', type: 'output' } as const,
    ],
    edges: [
      edge('a', 'if'),
      { ...edge('if', 'm'), branch: 'then' as const },
      { ...edge('if', 'never'), branch: 'else' as const },
      edge('m', 'end'),
    ],
  };

  it('[X5.replay] asks nothing, writes nothing, and gives what was given', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(mixed, { input: 'x\ny' });
    await bench.drive(runId);
    const calls = bench.model.calls.length;
    const { lastSeq } = await bench.detail(runId);
    const report = await replayOf(bench, runId, runDocument(mixed, { input: 'x\ny' }));
    expect(report.divergences).toEqual([]);
    expect(report.output).toBe((await bench.outputs(runId))['end']);
    expect(report.equal).toBe(7);
    expect(bench.model.calls).toHaveLength(calls);
    expect((await bench.detail(runId)).lastSeq).toBe(lastSeq);
  });

  it('[X5.divergence] reports a changed prompt at its node, and at no other', async () => {
    await using bench = await openWorkflowBench();
    const runId = await bench.start(mixed, { input: 'x\ny' });
    await bench.drive(runId);
    const changed = {
      ...mixed,
      nodes: mixed.nodes.map((node) => (node.id === 'm' ? { ...node, data: { nodes: [agent('p', 'new')] } } : node)),
    };
    const report = await replayOf(bench, runId, runDocument(changed, { input: 'x\ny' }));
    expect(report.divergences.map(({ node, step, kind }) => [node, step, kind])).toEqual([
      ['m/map[0]/p', 'm/map[0]/p/try[0]/turn[0]', 'input'],
      ['m/map[1]/p', 'm/map[1]/p/try[0]/turn[0]', 'input'],
    ]);
    expect(bench.model.calls.filter(({ request }) => request.system === 'new')).toEqual([]);
  });

  it('reports a template and a condition that give something else', async () => {
    await using bench = await openWorkflowBench();
    const document = (text: string, expression: string) => ({
      nodes: [
        { id: 't', type: 'template', data: { template: text } } as const,
        { id: 'if', type: 'condition', data: { expression } } as const,
      ],
      edges: [edge('t', 'if')],
    });
    const runId = await bench.start(document('a', 'true'));
    await bench.drive(runId);
    const report = await replayOf(bench, runId, runDocument(document('b', 'false')));
    expect(report.divergences.map(({ node, kind }) => [node, kind])).toEqual([
      ['t', 'output'],
      ['if', 'output'],
    ]);
  });
});
