import { canonicalJson } from '@cloutagent/kit';
import type { Block, MessagesRequest } from './request.ts';
import type { Speech, StopReason } from './scenario.ts';
import { fill, fillDeep, type Bindings } from './template.ts';
import { byteLength, bytesOfTokens, outputBytes, textBytes } from './tokens.ts';

/** What is said, before it has ids. */
export interface Draft {
  readonly content: readonly Block[];
  readonly stopReason: StopReason;
  readonly stopSequence: string | null;
  /** JSON of the last block's input as far as `max_tokens` let it come. */
  readonly cutInput?: string;
}

/** Fills the templates, then ends the answer where a stop sequence or `max_tokens` would. */
export const compose = (speech: Speech, bindings: Bindings, request: MessagesRequest): Draft =>
  cutAtMaxTokens(cutAtStopSequence(speak(speech, bindings), request.stopSequences), request.maxTokens);

const speak = (speech: Speech, bindings: Bindings): Draft => {
  const thinking = fill(speech.thinking ?? '', bindings);
  const text = fill(speech.text ?? '', bindings);
  const calls = speech.toolCalls ?? [];
  const stopReason = speech.stopReason ?? (calls.length > 0 ? 'tool_use' : 'end_turn');
  return {
    content: [
      ...(thinking === '' ? [] : [{ type: 'thinking', thinking }]),
      ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
      ...calls.map(({ name, input }) => ({
        type: 'tool_use',
        name: fill(name, bindings),
        input: fillDeep(input, bindings),
        caller: { type: 'direct' },
      })),
      // A paused turn is one in which a tool of the server's is still at work.
      ...(stopReason === 'pause_turn'
        ? [{ type: 'server_tool_use', name: 'web_search', input: { query: 'simulated' }, caller: { type: 'direct' } }]
        : []),
    ],
    stopReason,
    stopSequence: null,
  };
};

const cutAtStopSequence = (draft: Draft, sequences: readonly string[]): Draft => {
  for (const [index, block] of draft.content.entries()) {
    if (block.type !== 'text') continue;
    const text = String(block['text']);
    const hits = sequences.map((sequence) => ({ sequence, at: text.indexOf(sequence) })).filter(({ at }) => at >= 0);
    const first = hits.sort((a, b) => a.at - b.at)[0];
    if (first === undefined) continue;
    const kept = text.slice(0, first.at);
    const before = draft.content.slice(0, index);
    return {
      content: kept === '' ? before : [...before, { ...block, text: kept }],
      stopReason: 'stop_sequence',
      stopSequence: first.sequence,
    };
  }
  return draft;
};

const cutAtMaxTokens = (draft: Draft, maxTokens: number): Draft => {
  let room = bytesOfTokens(maxTokens);
  for (const [index, block] of draft.content.entries()) {
    const size = outputBytes(block);
    if (size <= room) {
      room -= size;
      continue;
    }
    const before = draft.content.slice(0, index);
    const cut = { content: before, stopReason: 'max_tokens', stopSequence: null } as const;
    if (room === 0) return cut;
    if (block.type === 'text' || block.type === 'thinking') {
      const kept = headOf(String(block[block.type]), room, textBytes);
      return kept === '' ? cut : { ...cut, content: [...before, { ...block, [block.type]: kept }] };
    }
    return {
      ...cut,
      content: [...before, { ...block, input: {} }],
      cutInput: headOf(canonicalJson(block['input']), room, byteLength),
    };
  }
  return draft;
};

/** The longest beginning of whole characters that fits into `bytes`. */
const headOf = (text: string, bytes: number, measure: (character: string) => number): string => {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += measure(character);
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
};
