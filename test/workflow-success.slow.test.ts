import { inspectWorkflow } from '@cloutagent/engine';
import { expect, it } from 'vitest';
import { randomWorkflow } from './support/chaos/graph.ts';
import { seeded } from './support/random.ts';
import { echo, openWorkflowBench, type WorkflowBench } from './support/workflow-bench.ts';

const RUNS = 400;

/** Drives as the owner of runs does, with somebody who approves whatever is asked. */
const succeeds = async (bench: WorkflowBench, id: string): Promise<string> => {
  for (;;) {
    const status = await bench.drive(id);
    if (status !== 'waiting') return status;
    const { items } = await bench.store.approvals({
      projectId: 'default',
      runId: id,
      pending: true,
      limit: 20,
      offset: 0,
    });
    for (const { id: approval, digest } of items)
      await bench.store.decide(approval, { decision: 'approve', digest, by: 'Ada' });
  }
};

it('[E17.success] of 400 valid workflows of every kind of node, drawn at random, all succeed', async () => {
  await using bench = await openWorkflowBench({
    script: (request, nth) => {
      const [tool] = request.tools;
      const first = request.messages.length === 1 && tool !== undefined;
      return first
        ? { content: [{ type: 'tool_use', id: 'u', name: tool.name, input: {} }], stopReason: 'tool_use' }
        : echo(request, nth);
    },
  });
  const kinds = new Map<string, number>();
  const failed: string[] = [];
  const one = async (seed: number): Promise<void> => {
    const workflow = randomWorkflow(seeded(seed), { server: 'filesystem', delayMs: 50 });
    expect(inspectWorkflow(workflow)).toEqual([]);
    for (const { type } of workflow.nodes) kinds.set(type, (kinds.get(type) ?? 0) + 1);
    const id = await bench.start(workflow, { id: `run_${seed}`, input: 'Begin.' });
    const status = await succeeds(bench, id);
    if (status !== 'completed') failed.push(`${seed}: ${status} ${(await bench.detail(id)).run.reason?.message ?? ''}`);
  };
  for (let at = 0; at < RUNS; at += 10) await Promise.all(Array.from({ length: 10 }, (_, n) => one(at + n)));
  expect(failed).toEqual([]);
  expect(Math.min(...kinds.values())).toBeGreaterThan(RUNS / 4);
  expect([...kinds.keys()].toSorted()).toEqual([
    'agent',
    'approval',
    'condition',
    'delay',
    'input',
    'map',
    'output',
    'template',
    'tool',
  ]);
}, 240_000);
