import type { McpToolResult } from '@cloutagent/contract';
import type { ContentBlock } from '../model/port.ts';

/** Largest output of a tool that a model is shown, in characters: some 25,000 tokens, paid again at every later turn. */
const MAX_CHARACTERS = 100_000;

const IMAGE_KINDS = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** Largest image in base64 characters that the Messages API takes. */
const MAX_IMAGE_CHARACTERS = 5 * 1024 * 1024;

type McpContent = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is McpContent =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An image, also one that came as a resource. */
const imageOf = (item: McpContent): ContentBlock | undefined => {
  const resource = item['type'] === 'resource' && isObject(item['resource']) ? item['resource'] : undefined;
  const data = resource === undefined ? item['data'] : resource['blob'];
  const { mimeType } = resource ?? item;
  if ((item['type'] !== 'image' && resource === undefined) || typeof data !== 'string') return undefined;
  if (typeof mimeType !== 'string' || !IMAGE_KINDS.has(mimeType) || data.length > MAX_IMAGE_CHARACTERS)
    return undefined;
  return { type: 'image', source: { type: 'base64', media_type: mimeType, data } };
};

/** Bytes as text say nothing to a model and are paid like words, so only what they are is said. */
const unshown = (what: string, { mimeType }: McpContent): string =>
  `[${what} that cannot be shown: ${stringOf(mimeType) || 'of an unknown kind'}]`;

const textOf = (item: McpContent): string => {
  switch (item['type']) {
    case 'text':
      return typeof item['text'] === 'string' ? item['text'] : JSON.stringify(item);
    case 'image':
      return unshown('an image', item);
    case 'audio':
      return unshown('a sound', item);
    case 'resource_link': {
      const about = stringOf(item['description']);
      const uri = stringOf(item['uri']);
      const name = stringOf(item['title']) || stringOf(item['name']) || uri;
      return `[${name}](${uri})${about && ` ${about}`}`;
    }
    case 'resource': {
      const { resource } = item;
      if (!isObject(resource)) return JSON.stringify(item);
      const uri = stringOf(resource['uri']);
      if (typeof resource['text'] === 'string') return `${uri}\n${resource['text']}`;
      return typeof resource['blob'] === 'string' ? `${uri} ${unshown('a file', resource)}` : JSON.stringify(item);
    }
    default:
      return JSON.stringify(item);
  }
};

/** Cuts between characters, never inside a surrogate pair. */
const cut = (text: string, length: number): string => {
  const head = text.slice(0, length);
  return /[\uD800-\uDBFF]$/u.test(head) ? head.slice(0, -1) : head;
};

/** Content of an MCP result in the Messages API's blocks; what the API has no block for is named or becomes JSON text. */
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
