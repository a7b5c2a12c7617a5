import { WorkflowDocument } from '@cloutagent/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openWorkflowBench } from '../../../../test/support/workflow-bench.ts';
import { inspectWorkflow } from './inspect.ts';

const template = (id: string) => ({ id, type: 'template', data: { template: '{{input}}.' } }) as const;
const edge = (source: string, target: string) => ({ source, target });

describe('large and odd workflows', () => {
  it('[D13] 1,000 nodes in a row run', async () => {
    await using bench = await openWorkflowBench();
    const ids = Array.from({ length: 1_000 }, (_, n) => `n${n}`);
    const edges = ids.slice(1).map((id, n) => edge(`n${n}`, id));
    const runId = await bench.start({ nodes: ids.map(template), edges });
    expect(await bench.drive(runId)).toBe('completed');
    expect((await bench.outputs(runId))['n999']).toBe('.'.repeat(1_000));
  }, 120_000);

  it('[D13] 1,000 nodes side by side run', async () => {
    await using bench = await openWorkflowBench();
    const ids = Array.from({ length: 1_000 }, (_, n) => `n${n}`);
    const runId = await bench.start({
      nodes: [template('a'), ...ids.map(template)],
      edges: ids.map((id) => edge('a', id)),
    });
    expect(await bench.drive(runId)).toBe('completed');
    expect(Object.keys(await bench.outputs(runId))).toHaveLength(1_001);
  }, 120_000);

  it('[D13] whatever the graph: refused with a finding, or every node ends, after all before it', async () => {
    await using bench = await openWorkflowBench();
    const graph = fc.integer({ min: 1, max: 7 }).chain((size) =>
      fc.record({
        failing: fc.nat(size),
        edges: fc.array(fc.record({ source: fc.nat(size), target: fc.nat(size) }), { maxLength: 14 }),
        size: fc.constant(size),
      }),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(graph, async ({ size, edges, failing }) => {
        const nodes = Array.from({ length: size }, (_, n) =>
          n === failing
            ? ({ id: `n${n}`, type: 'condition', data: { expression: 'unknown == 1' } } as const)
            : template(`n${n}`),
        );
        const arrows = edges.map(({ source, target }) => edge(`n${source}`, `n${target}`));
        const document = WorkflowDocument.parse({ nodes, edges: arrows });
        const findings = inspectWorkflow(document);
        // Each says what is wrong, or it could not be mended.
        if (findings.some(({ severity, message }) => severity !== 'error' || message === ''))
          throw new Error('no finding');
        if (findings.length > 0) return;
        const runId = await bench.start({ nodes, edges: arrows }, { id: `run_${(count += 1)}` });
        const status = await bench.drive(runId);
        const { steps } = await bench.detail(runId);
        const place = new Map(steps.filter(({ kind }) => kind === 'node').map(({ key }, index) => [key, index]));
        expect(status).toBe(failing < size ? 'failed' : 'completed');
        expect(status === 'failed' || place.size === size).toBe(true);
        const wrong = arrows.filter(
          ({ source, target }) =>
            place.has(target) && (place.get(source) ?? Number.POSITIVE_INFINITY) > (place.get(target) ?? -1),
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
