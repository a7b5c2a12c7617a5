import { WorkflowDocument, type WorkflowNode } from '@cloutagent/contract';
import type * as z from 'zod';
import { between, pick } from '../random.ts';

/** As it is written; the schema fills in the rest. */
interface Node {
  readonly id: string;
  readonly type: WorkflowNode['type'];
  readonly data?: object;
  readonly retry?: object;
  readonly onError?: string;
}
type Edge = NonNullable<z.input<typeof WorkflowDocument>['edges']>[number];

const TOOLS = ['look', 'put', 'send', 'send'] as const;

/** What workflows are made for. */
interface Place {
  /** Has the tools look, put and send. */
  readonly server: string;
  /** Longest delay. */
  readonly delayMs: number;
}
type Maker = (id: string, random: () => number, place: Place) => Node;

const agent: Maker = (id, random, { server: name }) => {
  const server = random() < 0.6 ? { mcpServers: [name], enabledTools: [pick(random, TOOLS)] } : {};
  const data = { systemPrompt: `You are ${id}.`, prompt: 'Go on: {{input}}', maxTokens: 256, ...server };
  if (random() < 0.4) return { id, type: 'agent', data, retry: { attempts: 3, delayMs: 100 }, onError: 'continue' };
  return { id, type: 'agent', data };
};

const MAKERS: readonly Maker[] = [
  agent,
  agent,
  agent,
  (id, random, { server }) => ({
    id,
    type: 'tool',
    data: { server, tool: pick(random, TOOLS), arguments: { text: id } },
    retry: { attempts: 4, delayMs: 100 },
  }),
  (id) => ({ id, type: 'template', data: { template: `${id}\n{{reader}}` } }),
  (id, random, place) => ({
    id,
    type: 'map',
    data: {
      nodes: [agent('each', random, place), { id: 'mark', type: 'output' }],
      edges: [{ source: 'each', target: 'mark' }],
    },
  }),
  (id) => ({ id, type: 'approval', data: { message: `Go past ${id}?` } }),
  (id, random, { delayMs }) => ({ id, type: 'delay', data: { delayMs: between(random, 0, delayMs) } }),
  (id, random) => ({ id, type: 'condition', data: { expression: `length(input) > ${between(random, 5, 60)}` } }),
];

/** A workflow of every kind of node in parallel branches: the same for the same numbers. */
export const randomWorkflow = (
  random: () => number,
  place: Place = { server: 'effects', delayMs: 3_000 },
): WorkflowDocument => {
  const nodes: Node[] = [{ id: 'in', type: 'input' }];
  const edges: Edge[] = [];
  const connect = (source: Node, target: string): void => {
    const branch = source.type === 'condition' ? { branch: pick(random, ['then', 'else'] as const) } : {};
    edges.push({ source: source.id, target, ...branch });
  };
  const count = between(random, 5, 9);
  for (let n = 1; n <= count; n += 1) {
    // Mostly near the start, so that branches stay side by side.
    const sources = new Set([pick(random, nodes), ...(random() < 0.4 ? [pick(random, nodes)] : [])]);
    const node = pick(random, MAKERS)(`n${n}`, random, place);
    for (const source of sources) connect(source, node.id);
    nodes.push(node);
  }
  const sinks = nodes.filter(({ id }) => edges.every(({ source }) => source !== id));
  for (const sink of sinks) connect(sink, 'out');
  nodes.push({ id: 'out', type: 'output' });
  return WorkflowDocument.parse({ name: 'chaos', variables: { reader: 'everybody' }, nodes, edges });
};
