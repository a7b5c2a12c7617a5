import type { Usage, UsageTrait } from '@cloutagent/contract';
import type { ContentBlock, ModelAnswer } from './port.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Input of a tool call whose JSON could not be read: the tool is not called, the model is told. */
export const INVALID_JSON = 'INVALID_JSON';

/** What one event of the stream means to the caller. */
export type Step =
  | { readonly type: 'start' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'none' };

/** Puts the raw events of one answer together; blocks stay as they came, unknown kinds and fields included. */
export interface Accumulator {
  add(event: unknown): Step;
  /** Usage as far as it is known; null until the server named input and output. */
  usage(): Usage | null;
  /** The answer, or undefined before `message_stop`. */
  answer(requestId: string | null): ModelAnswer | undefined;
}

interface OpenBlock {
  readonly fields: Record<string, unknown>;
  json: string;
}

const NONE: Step = { type: 'none' };

export const openAccumulator = (): Accumulator => {
  const blocks: OpenBlock[] = [];
  const counts: Record<string, unknown> = {};
  let stopReason: string | undefined;
  let stopped = false;

  const learn = (usage: unknown): void => {
    if (!isObject(usage)) return;
    // A later event repeats totals but not the split of cache writes, so what it leaves out (or nulls) is kept.
    for (const [name, value] of Object.entries(usage)) if (value !== null && value !== undefined) counts[name] = value;
  };

  const delta = (block: OpenBlock, change: Json): Step => {
    switch (change['type']) {
      case 'text_delta': {
        const text = textOf(change['text']);
        block.fields['text'] = textOf(block.fields['text']) + text;
        return { type: 'text', text };
      }
      case 'input_json_delta':
        block.json += textOf(change['partial_json']);
        return NONE;
      case 'thinking_delta': {
        const text = textOf(change['thinking']);
        block.fields['thinking'] = textOf(block.fields['thinking']) + text;
        return { type: 'thinking', text };
      }
      case 'signature_delta':
        block.fields['signature'] = textOf(block.fields['signature']) + textOf(change['signature']);
        return NONE;
      case 'citations_delta': {
        const known = block.fields['citations'];
        block.fields['citations'] = [...(Array.isArray(known) ? (known as unknown[]) : []), change['citation']];
        return NONE;
      }
      default:
        return NONE;
    }
  };

  return {
    add: (event) => {
      if (!isObject(event)) return NONE;
      switch (event['type']) {
        case 'message_start': {
          const message = event['message'];
          if (isObject(message)) {
            learn(message['usage']);
            const content: unknown = message['content'];
            if (Array.isArray(content))
              for (const block of content) if (isObject(block)) blocks.push({ fields: { ...block }, json: '' });
          }
          return { type: 'start' };
        }
        case 'content_block_start': {
          const block = event['content_block'];
          if (!isObject(block)) return NONE;
          blocks[indexOf(event, blocks.length)] = { fields: { ...block }, json: '' };
          const text = block['type'] === 'text' ? textOf(block['text']) : '';
          return text === '' ? NONE : { type: 'text', text };
        }
        case 'content_block_delta': {
          const block = blocks[indexOf(event, -1)];
          const change = event['delta'];
          return block === undefined || !isObject(change) ? NONE : delta(block, change);
        }
        case 'message_delta': {
          learn(event['usage']);
          const change = event['delta'];
          if (isObject(change) && typeof change['stop_reason'] === 'string') stopReason = change['stop_reason'];
          return NONE;
        }
        case 'message_stop':
          stopped = true;
          return NONE;
        default:
          return NONE;
      }
    },
    usage: () => toUsage(counts),
    answer: (requestId) => {
      const usage = toUsage(counts);
      if (!stopped || stopReason === undefined || usage === null) return undefined;
      return { content: blocks.filter((block) => block !== undefined).map(close), stopReason, usage, requestId };
    },
  };
};

/** An answer has a handful of blocks; the cap keeps a mad index from making a giant array. */
const MAX_BLOCKS = 10_000;

const indexOf = (event: Json, fallback: number): number => {
  const { index } = event;
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < MAX_BLOCKS ? index : fallback;
};

const close = (block: OpenBlock): ContentBlock => {
  const type = textOf(block.fields['type']);
  if (block.json === '') return { ...block.fields, type };
  try {
    return { ...block.fields, type, input: JSON.parse(block.json) as unknown };
  } catch {
    return { ...block.fields, type, input: { [INVALID_JSON]: block.json } };
  }
};

const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.ceil(value) : 0;

const toUsage = (counts: Json): Usage | null => {
  if (typeof counts['input_tokens'] !== 'number' || typeof counts['output_tokens'] !== 'number') return null;
  const split = counts['cache_creation'];
  const written = count(counts['cache_creation_input_tokens']);
  const oneHour = isObject(split) ? count(split['ephemeral_1h_input_tokens']) : 0;
  const tools = counts['server_tool_use'];
  const searches = isObject(tools) ? count(tools['web_search_requests']) : 0;
  const traits = traitsOf(counts);
  return {
    inputTokens: count(counts['input_tokens']),
    cacheReadTokens: count(counts['cache_read_input_tokens']),
    // Without a split all writes are of the default kind, which lives for five minutes.
    cacheWrite5mTokens: isObject(split)
      ? Math.max(count(split['ephemeral_5m_input_tokens']), written - oneHour)
      : written,
    cacheWrite1hTokens: oneHour,
    outputTokens: count(counts['output_tokens']),
    ...(searches === 0 ? {} : { webSearchRequests: searches }),
    ...(traits.length === 0 ? {} : { traits }),
  };
};

/** What the provider says that multiplies the price. */
const traitsOf = (counts: Json): UsageTrait[] => [
  ...(counts['service_tier'] === 'batch' ? (['batch'] as const) : []),
  ...(counts['inference_geo'] === 'us' ? (['us'] as const) : []),
  ...(counts['speed'] === 'fast' ? (['fast'] as const) : []),
];
