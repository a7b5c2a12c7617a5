import type { Block, Prompt } from './request.ts';

/**
 * How the simulator counts tokens, so that everybody can work a bill out by hand:
 * - input: UTF-8 bytes of the canonical JSON (sorted keys, no white space) of `{messages, system, tools}` as sent,
 *   without `cache_control` members, divided by 4 and rounded up;
 * - output: UTF-8 bytes of the answer's texts (thoughts too) as they stand in JSON, without the quotes, and of its
 *   tool inputs as canonical JSON, divided by 4 and rounded up, at least 1. So an answer adds to the next prompt what
 *   it cost, and its blocks' own members.
 * A real tokenizer counts otherwise; these are not estimates of it.
 */
const BYTES_PER_TOKEN = 4;

export const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8');

export const countInput = ({ messages, system, tools }: Prompt): number =>
  // The order of keys does not change how many bytes there are.
  Math.ceil(byteLength(JSON.stringify({ messages, system, tools })) / BYTES_PER_TOKEN);

/** Bytes of a text in JSON, without its quotes. */
export const textBytes = (text: string): number => byteLength(JSON.stringify(text)) - 2;

/** Bytes of a block that count as output. */
export const outputBytes = (block: Block): number => {
  if (block.type === 'text' || block.type === 'thinking') return textBytes(String(block[block.type]));
  return 'input' in block ? byteLength(JSON.stringify(block['input'])) : 0;
};

export const countOutput = (content: readonly Block[]): number =>
  Math.max(1, Math.ceil(content.reduce((sum, block) => sum + outputBytes(block), 0) / BYTES_PER_TOKEN));

/** How many bytes of answer fit into `tokens`. */
export const bytesOfTokens = (tokens: number): number => tokens * BYTES_PER_TOKEN;
