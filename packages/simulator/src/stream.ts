import type { ApiMessage, Reply, WireUsage } from './message.ts';
import type { Block } from './request.ts';
import { byteLength } from './tokens.ts';

/** One event of an answer's stream; `tokens` is set on those that carry a part of the answer. */
export interface StreamEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly tokens?: number;
}

/** Longest delta in characters; text without spaces is cut here. */
const LONGEST_DELTA = 80;

export const PING: StreamEvent = { name: 'ping', data: { type: 'ping' } };

/** All events of an answer, in order. */
export function* streamEvents({ message, cutInput }: Reply): Generator<StreamEvent> {
  yield event('message_start', { message: opening(message) });
  for (const [index, block] of message.content.entries()) {
    yield event('content_block_start', { index, content_block: emptied(block) });
    if (index === 0) yield PING;
    const isCut = cutInput !== undefined && index === message.content.length - 1;
    for (const { text, delta } of deltas(block, isCut ? cutInput : undefined)) {
      yield {
        name: 'content_block_delta',
        data: { type: 'content_block_delta', index, delta },
        tokens: Math.ceil(byteLength(text) / 4),
      };
    }
    yield event('content_block_stop', { index });
  }
  const { stop_reason, stop_sequence, stop_details, usage } = message;
  yield event('message_delta', {
    delta: { stop_reason, stop_sequence, stop_details, container: null },
    usage: totals(usage),
  });
  yield event('message_stop', {});
}

const event = (name: string, members: Readonly<Record<string, unknown>>): StreamEvent => ({
  name,
  data: { type: name, ...members },
});

/** The last event repeats the totals, but not how cache writes split. */
const totals = (usage: WireUsage) => ({
  input_tokens: usage.input_tokens,
  cache_creation_input_tokens: usage.cache_creation_input_tokens,
  cache_read_input_tokens: usage.cache_read_input_tokens,
  output_tokens: usage.output_tokens,
  output_tokens_details: usage.output_tokens_details,
  server_tool_use: usage.server_tool_use,
});

/** The input side is known at once, the output side is not. */
const opening = (message: ApiMessage): Readonly<Record<string, unknown>> => ({
  ...message,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
  usage: { ...message.usage, output_tokens: Math.min(1, message.usage.output_tokens) },
});

const emptied = (block: Block): Block => {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return 'input' in block ? { ...block, input: {} } : block;
};

interface Delta {
  readonly text: string;
  readonly delta: Readonly<Record<string, string>>;
}

function* deltas(block: Block, cutInput: string | undefined): Generator<Delta> {
  if (block.type === 'text') {
    for (const text of pieces(String(block['text']))) yield { text, delta: { type: 'text_delta', text } };
  } else if (block.type === 'thinking') {
    for (const text of pieces(String(block['thinking'])))
      yield { text, delta: { type: 'thinking_delta', thinking: text } };
    const signature = String(block['signature']);
    yield { text: signature, delta: { type: 'signature_delta', signature } };
  } else if ('input' in block) {
    yield { text: '', delta: { type: 'input_json_delta', partial_json: '' } };
    for (const text of pieces(cutInput ?? JSON.stringify(block['input'])))
      yield { text, delta: { type: 'input_json_delta', partial_json: text } };
  }
}

/** Three words with the spaces before them, or what is left of spaces at the end. */
const WORDS = / *[^ ]+(?: +[^ ]+){0,2}| +/gu;

/** A few words each, and never half a character: a lone surrogate cannot be sent as UTF-8. */
function* pieces(text: string): Generator<string> {
  for (const [words] of text.matchAll(WORDS)) {
    if (words.length <= LONGEST_DELTA) yield words;
    else yield* cut(words);
  }
}

function* cut(words: string): Generator<string> {
  let piece = '';
  for (const character of words) {
    if (piece.length >= LONGEST_DELTA) {
      yield piece;
      piece = '';
    }
    piece += character;
  }
  yield piece;
}
