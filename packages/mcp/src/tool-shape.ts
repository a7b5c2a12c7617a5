import type { McpTool, McpToolResult } from '@cloutagent/contract';
import type { McpMessage, McpPrompt, McpResource } from './types.ts';

interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations?:
    | {
        readonly readOnlyHint?: boolean | undefined;
        readonly idempotentHint?: boolean | undefined;
        readonly destructiveHint?: boolean | undefined;
      }
    | undefined;
}

/** Tools as the contract knows them: what a server says beside that is left out. */
export const toTools = (server: string, listed: readonly ListedTool[]): readonly McpTool[] => {
  return listed.map((tool) => {
    const { readOnlyHint, idempotentHint, destructiveHint } = tool.annotations ?? {};
    return {
      server,
      name: tool.name,
      description: tool.description ?? '',
      inputSchema: tool.inputSchema,
      annotations: {
        ...(readOnlyHint === undefined ? {} : { readOnlyHint }),
        ...(idempotentHint === undefined ? {} : { idempotentHint }),
        ...(destructiveHint === undefined ? {} : { destructiveHint }),
      },
    };
  });
};

/** Arguments are an object; what a model made of something else is for the server to refuse. */
export const toArguments = (input: unknown): Record<string, unknown> =>
  input !== null && typeof input === 'object' && !Array.isArray(input) ? { ...input } : {};

/** Content as the server sent it; a result that has only structured content is shown as JSON text. */
export const toToolResult = (result: {
  content?: unknown;
  structuredContent?: unknown;
  isError?: boolean | undefined;
}): McpToolResult => {
  const content = Array.isArray(result.content) ? (result.content as Record<string, unknown>[]) : []; // checked by the client's schema
  const isError = result.isError === true;
  if (!isObject(result.structuredContent)) return { content, isError };
  const { structuredContent } = result;
  const shown = content.length > 0 ? content : [{ type: 'text', text: JSON.stringify(structuredContent) }];
  return { content: shown, isError, structuredContent };
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export const toResources = (
  listed: readonly { uri: string; name: string; description?: string | undefined; mimeType?: string | undefined }[],
): readonly McpResource[] =>
  listed.map(({ uri, name, description = '', mimeType }) => ({ uri, name, description, mimeType }));

export const toPrompts = (
  listed: readonly {
    name: string;
    description?: string | undefined;
    arguments?: readonly { name: string; required?: boolean | undefined }[] | undefined;
  }[],
): readonly McpPrompt[] =>
  listed.map(({ name, description = '', arguments: args = [] }) => ({
    name,
    description,
    arguments: args.map((argument) => ({ name: argument.name, required: argument.required === true })),
  }));

export const toMessages = (
  messages: readonly { role: 'user' | 'assistant'; content: object }[],
): readonly McpMessage[] => messages.map(({ role, content }) => ({ role, content: { ...content } }));
