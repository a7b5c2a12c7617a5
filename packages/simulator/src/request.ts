import type { McpServer } from './connector/types.ts';
import type { ModelSpec } from './models.ts';

/** One block of content as it was sent, without `cache_control` and without members that are null. */
export type Block = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  /** A string that was sent as content is one text block here. */
  readonly content: readonly Block[];
}

/** What counts as the prompt, in the form in which it was sent but without `cache_control`. */
export interface Prompt {
  readonly system?: unknown;
  readonly tools?: readonly unknown[];
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** A place after which the prompt is to be cached. */
export interface Breakpoint {
  readonly at:
    | { readonly in: 'tools'; readonly index: number }
    | { readonly in: 'system'; readonly index: number }
    | { readonly in: 'messages'; readonly index: number; readonly block: number };
  readonly ttl: '5m' | '1h';
}

/** A request that the API accepts. */
export interface MessagesRequest {
  readonly model: ModelSpec;
  /** The id as it was asked for. */
  readonly modelId: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly stopSequences: readonly string[];
  /** JSON schema that the text of the answer has to fit. */
  readonly outputSchema: Readonly<Record<string, unknown>> | undefined;
  readonly system: readonly Block[];
  readonly tools: readonly Readonly<Record<string, unknown>>[];
  readonly messages: readonly Message[];
  /** Servers of the MCP connector. */
  readonly mcpServers: readonly McpServer[];
  readonly prompt: Prompt;
  /** What `countInput` says of the prompt. */
  readonly inputTokens: number;
  /** In the order of the prompt: tools, system, messages. */
  readonly breakpoints: readonly Breakpoint[];
}

/** What the user said or a tool answered last: system messages between the turns are not it. */
export const lastSpoken = (messages: readonly Message[]): Message | undefined =>
  messages.findLast(({ role }) => role !== 'system');

/** The text of a message, tool results included, one block a line. */
export const textOf = (message: Message | undefined): string =>
  (message?.content ?? [])
    .map(blockText)
    .filter((text) => text !== '')
    .join('\n');

/** The text of a text block or of a tool result's text blocks. */
export const blockText = (block: Block): string => {
  if (block.type === 'text') return typeof block['text'] === 'string' ? block['text'] : '';
  if (block.type !== 'tool_result' && block.type !== 'mcp_tool_result') return '';
  const content = block['content'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isBlock(part) && part.type === 'text' ? blockText(part) : '')).join('\n');
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const isBlock = (value: unknown): value is Block => isRecord(value) && typeof value['type'] === 'string';
