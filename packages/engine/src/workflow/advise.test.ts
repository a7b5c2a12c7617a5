import { WorkflowDocument } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { loadPrices } from '../model/price.ts';
import { adviseWorkflow } from './advise.ts';
import { diffWorkflows } from './diff.ts';

const advise = (document: object) =>
  adviseWorkflow(WorkflowDocument.parse(document), {
    prices: loadPrices(),
    model: 'claude-sonnet-4-5',
    servers: new Set(['files']),
  }).map(({ code, severity, node }) => `${severity} ${code} ${node}`);
const edge = (source: string, target: string) => ({ source, target });

describe('what a workflow lacks where it is to run', () => {
  it('servers, prices, names and inputs, each at its node', () => {
    const nodes = [
      { id: 'a', type: 'agent', data: { prompt: '{{input}} {{v}} {{later}}', mcpServers: ['files', { id: 'gone' }] } },
      { id: 'b', type: 'agent', data: { model: 'none-1' } },
      { id: 'c', type: 'condition', data: { expression: 'v == "x" and w == a' } },
      { id: 'later', type: 'tool', data: { server: 'gone', tool: 't', arguments: { deep: [{ x: '{{a}} {{y}}' }] } } },
      { id: 'out', type: 'output' },
    ];
    expect(advise({ variables: { v: '1' }, nodes, edges: [edge('a', 'c'), edge('a', 'later')] })).toEqual([
      'warning UNKNOWN_VARIABLE a',
      'error NO_SUCH_SERVER a',
      'error PRICE_UNKNOWN b',
      'warning UNKNOWN_VARIABLE c',
      'warning UNKNOWN_VARIABLE later',
      'error NO_SUCH_SERVER later',
      'warning MISSING_INPUT out',
    ]);
  });

  it('nothing of a document that lacks nothing', () => {
    const nodes = [
      { id: 'a', type: 'agent', data: { prompt: '{{input}}' } },
      { id: 'b', type: 'template', data: { template: '{{a}} {{v}}' } },
    ];
    expect(advise({ variables: { v: '' }, nodes, edges: [edge('a', 'b')] })).toEqual([]);
  });
});

it('the difference of two documents names nodes, edges and fields', () => {
  const node = (id: string, template: string) => ({ id, type: 'template', data: { template } });
  const before = WorkflowDocument.parse({
    title: 'x',
    nodes: [node('a', '1'), node('b', '1')],
    edges: [edge('a', 'b')],
  });
  const after = WorkflowDocument.parse({ nodes: [node('c', '1'), node('a', '2')], edges: [edge('a', 'c')] });
  expect(diffWorkflows(before, before)).toEqual([]);
  expect(diffWorkflows(before, after).map(({ what, id, kind }) => `${kind} ${what} ${id}`)).toEqual([
    'changed node a',
    'removed node b',
    'added node c',
    'removed edge a -> b',
    'added edge a -> c',
    'removed field title',
  ]);
});
