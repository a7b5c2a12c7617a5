import type { StepNode } from './tree.ts';
import { argumentsOf, bareToolName } from './label.ts';
import { isRecord, textOf } from './json.ts';

/** A part of what a step took in or gave back, ready to be shown. */
export type Part =
  | { readonly kind: 'text'; readonly title: string; readonly text: string; readonly streaming: boolean }
  | { readonly kind: 'call'; readonly title: string; readonly name: string; readonly input: unknown }
  | { readonly kind: 'json'; readonly title: string; readonly value: unknown };

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const contentOf = (output: unknown): readonly unknown[] | undefined => {
  if (isArray(output)) return output;
  if (!isRecord(output)) return undefined;
  if (isArray(output['content'])) return output['content'];
  for (const name of ['answer', 'message', 'result']) {
    const inner = output[name];
    if (isRecord(inner) && isArray(inner['content'])) return inner['content'];
  }
  return undefined;
};

const toPart = (block: unknown): Part => {
  if (isRecord(block)) {
    const { type, text, name, thinking } = block as Readonly<Record<'type' | 'text' | 'name' | 'thinking', unknown>>;
    if (type === 'text' && typeof text === 'string') return { kind: 'text', title: 'Text', text, streaming: false };
    if (type === 'thinking' && typeof thinking === 'string')
      return { kind: 'text', title: 'Thinking', text: thinking, streaming: false };
    if (type === 'tool_use' && typeof name === 'string') {
      return { kind: 'call', title: 'Calls a tool', name: bareToolName(name), input: block['input'] };
    }
  }
  return { kind: 'json', title: isRecord(block) ? (textOf(block['type']) ?? 'Block') : 'Block', value: block };
};

/** What a step gave back. While a model call streams, this is its text so far. */
export const outputParts = (node: StepNode): readonly Part[] => {
  const { row, live } = node;
  if (row !== null) {
    const content = contentOf(row.output);
    if (content !== undefined) return content.map(toPart);
    if (typeof row.output === 'string') return [{ kind: 'text', title: 'Text', text: row.output, streaming: false }];
    return row.output === null || row.output === undefined
      ? []
      : [{ kind: 'json', title: 'Result', value: row.output }];
  }
  if (live === null) return [];
  const text = live.kind === 'model' ? live.text : live.preview;
  return text === ''
    ? []
    : [{ kind: 'text', title: 'Text', text, streaming: live.endedAt === null && node.state === 'running' }];
};

/** What a step took in: a tool's arguments, a model call's messages. */
export const inputParts = (node: StepNode): readonly Part[] => {
  const value = node.row?.input ?? node.live?.input ?? null;
  // A task's own input is its title, which the panel shows already.
  if (value === null || node.kind === 'task') return [];
  // Of a node that has not ended only its kind is known.
  if (node.kind === 'node' && node.row === null) return [];
  if (node.kind === 'tool') return [{ kind: 'json', title: 'Arguments', value: argumentsOf(value) }];
  if (typeof value === 'string') return [{ kind: 'text', title: 'Text', text: value, streaming: false }];
  return [{ kind: 'json', title: node.kind === 'turn' ? 'Request' : 'Input', value }];
};
