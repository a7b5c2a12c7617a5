import { CloutError, type ToolNode } from '@cloutagent/contract';
import { fillTemplate } from '@cloutagent/kit';
import type * as z from 'zod';
import { toolStep } from '../../agent/tool-call.ts';
import type { NodeResult, NodeWork } from '../context.ts';

type Tool = z.infer<typeof ToolNode>;

/** Deeper than the arguments of any tool; a document cannot exhaust the stack. */
const MAX_DEPTH = 32;

/** Texts of the arguments filled in; the rest as it is. */
const fillAll = (value: unknown, valueOf: NodeWork<Tool>['valueOf'], depth = 0): unknown => {
  if (depth > MAX_DEPTH)
    throw new CloutError('NODE_FAILED', `Arguments stand in each other more than ${MAX_DEPTH} times`);
  if (typeof value === 'string') return fillTemplate(value, valueOf);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, valueOf, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillAll(item, valueOf, depth + 1)]));
};

/** One call of a tool; what it says is the output. */
export const runToolNode = async ({ node, key, drive, valueOf, context }: NodeWork<Tool>): Promise<NodeResult> => {
  const { server, tool } = node.data;
  const port = await context.run.ports.tools([server]);
  const found = [...port.tools()].find(([, one]) => one.server === server && one.name === tool);
  if (found === undefined) throw new CloutError('NODE_FAILED', `The server ${server} has no tool ${tool}`);
  const use = { id: key, name: found[0], input: fillAll(node.data.arguments, valueOf) };
  const { blocks, isError } = await toolStep(drive, port, `${key}/tool[0]`, use);
  const output = blocks
    .map((block) => (typeof block['text'] === 'string' ? block['text'] : `[${block.type}]`))
    .join('\n');
  if (isError) throw new CloutError('NODE_FAILED', output);
  return { output };
};
