import type { McpToolResult } from '@cloutagent/contract';
import type { ContentBlock } from '../model/port.ts';

/** Largest output of a tool that a model is shown, in characters: some 25,000 tokens, paid again at every later turn. */
const MAX_CHARACTERS = 100_000;

const IMAGE_KINDS = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** Largest image in base64 characters that the Messages API takes. */
const MAX_IMAGE_CHARACTERS = 5 * 1024 * 1024;

type McpContent = Readonly<Record<string, unknown>>;

const imageOf = (item: McpContent): ContentBlock | undefined => {
  const { data, mimeType } = item;
  if (item['type'] !== 'image' || typeof data !== 'string' || typeof mimeType !== 'string') return undefined;
  if (!IMAGE_KINDS.has(mimeType) || data.length > MAX_IMAGE_CHARACTERS) return undefined;
  return { type: 'image', source: { type: 'base64', media_type: mimeType, data } };
};

const textOf = (item: McpContent): string => {
  if (item['type'] === 'text' && typeof item['text'] === 'string') return item['text'];
  if (item['type'] === 'image') return `[an image that cannot be shown: ${String(item['mimeType'])}]`;
  return JSON.stringify(item);
};

/** Cuts between characters, never inside a surrogate pair. */
const cut = (text: string, length: number): string => {
  const head = text.slice(0, length);
  return /[\uD800-\uDBFF]$/u.test(head) ? head.slice(0, -1) : head;
};

/** Content of an MCP result in the Messages API's blocks; what the API has no block for becomes JSON text. */
export const toResultBlocks = (result: McpToolResult): readonly ContentBlock[] => {
  const blocks: ContentBlock[] = [];
  let left = MAX_CHARACTERS;
  let lost = 0;
  for (const item of result.content) {
    const image = imageOf(item);
    if (image !== undefined) {
      blocks.push(image);
      continue;
    }
    const whole = textOf(item);
    const text = cut(whole, left);
    lost += whole.length - text.length;
    left -= text.length;
    if (text !== '') blocks.push({ type: 'text', text });
  }
  if (lost > 0) blocks.push({ type: 'text', text: `[${lost} more characters were cut off; ask for a smaller part]` });
  // The API refuses empty text blocks, and a model reads an empty result as a missing one.
  return blocks.length > 0 ? blocks : [{ type: 'text', text: '(no output)' }];
};

const MAX_PREVIEW = 2000;

/** The first 2,000 characters of the text of a result, for people. */
export const previewOf = (blocks: readonly ContentBlock[]): string =>
  cut(
    blocks.map((block) => (typeof block['text'] === 'string' ? block['text'] : `[${block.type}]`)).join('\n'),
    MAX_PREVIEW,
  );
