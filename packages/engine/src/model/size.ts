import type { ContentBlock, Message } from './port.ts';

/**
 * Most tokens of one picture, whatever its size: larger ones are scaled down to 2,576 pixels of the long edge before they are
 * counted, a token for each 28 × 28 pixels (the provider's page on vision; models before 4.7 stop at 1,600).
 */
const IMAGE_TOKENS = 4784;

/** Most tokens of a message, and the part of it that no rule bounds; null where there is none. */
export interface Size {
  readonly tokens: number;
  readonly unbounded: string | null;
}

/** UTF-8 bytes of a value's JSON. A token is at least one byte, so this bounds the tokens of any text. */
export const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Kinds whose tokens are those of their text. */
const TEXTUAL: ReadonlySet<string> = new Set([
  'text',
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
  'search_result',
  'server_tool_use',
  'web_search_tool_result',
]);

const isBlock = (value: unknown): value is ContentBlock =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const sourceOf = (block: ContentBlock): string => {
  const { source } = block;
  return typeof source === 'object' && source !== null && 'type' in source ? String(source.type) : '';
};

const sizeOfBlock = (block: ContentBlock): Size => {
  if (block.type === 'image') {
    const { source: _, ...rest } = block;
    return { tokens: jsonBytes(rest) + IMAGE_TOKENS, unbounded: null };
  }
  // A document of plain text is its text; pages of others are counted as pictures and text, and how many there are is not said.
  if (block.type === 'document' && ['text', 'content'].includes(sourceOf(block)))
    return { tokens: jsonBytes(block), unbounded: null };
  if (!TEXTUAL.has(block.type)) return { tokens: jsonBytes(block), unbounded: block.type };
  const { content } = block;
  if (block.type !== 'tool_result' || !Array.isArray(content)) return { tokens: jsonBytes(block), unbounded: null };
  const inner = sizeOfContent(content as readonly unknown[]);
  return { ...inner, tokens: inner.tokens + jsonBytes({ ...block, content: [] }) };
};

const sizeOfContent = (content: readonly unknown[]): Size => {
  let tokens = 0;
  let unbounded: string | null = null;
  for (const [index, block] of content.entries()) {
    // The comma between two of them.
    if (index > 0) tokens += 1;
    const size = isBlock(block) ? sizeOfBlock(block) : { tokens: jsonBytes(block), unbounded: 'content' };
    tokens += size.tokens;
    unbounded ??= size.unbounded;
  }
  return { tokens, unbounded };
};

/** Size of one message of a request. */
export const sizeOfMessage = (message: Message): Size => {
  if (typeof message.content === 'string') return { tokens: jsonBytes(message), unbounded: null };
  const inner = sizeOfContent(message.content);
  return { ...inner, tokens: inner.tokens + jsonBytes({ ...message, content: [] }) };
};
