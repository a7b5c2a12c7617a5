import path from 'node:path';
import type { ContentBlock, ModelRequest } from '@cloutagent/engine';

interface Answer {
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
}

const CONTAINS = /^- file (\S+) contains ("(?:[^"\\]|\\.)*")/gmu;

/** A model that looks, writes what the checks ask for, and closes; `(wrong first)` in a title makes it err once. */
export const worker = ({ system, messages }: ModelRequest): Answer => {
  const root = /^Project folder: (.+)$/mu.exec(system)?.[1] ?? '';
  const at = messages.findLastIndex(({ content }) => typeof content === 'string');
  const said = String(messages[at]?.content);
  const turn = messages.slice(at).filter(({ role }) => role === 'assistant').length;
  const use = (name: string, input: object, index: number): ContentBlock => ({
    type: 'tool_use',
    id: `toolu_${messages.length}_${index}`,
    name: `mcp__filesystem__${name}`,
    input,
  });
  if (turn === 0) return { content: [use('list_directory', { path: root }, 0)], stopReason: 'tool_use' };
  const files = [...said.matchAll(CONTAINS)].map((match) => ({
    path: path.join(root, match[1] ?? ''),
    content: said.includes('(wrong first)') ? 'wrong' : String(JSON.parse(match[2] ?? '""')),
  }));
  if (turn === 1 && files.length > 0) {
    return { content: files.map((file, index) => use('write_file', file, index)), stopReason: 'tool_use' };
  }
  return { content: [{ type: 'text', text: 'It is done.' }], stopReason: 'end_turn' };
};
