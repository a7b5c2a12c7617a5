import type { McpTool, McpToolResult } from '@cloutagent/contract';
import type { ToolPort } from './tool-port.ts';

export interface FakeToolCall {
  readonly tool: string;
  readonly input: unknown;
  readonly idempotencyKey: string;
}

export interface FakeTools extends ToolPort {
  /** Every call that was made, in order. */
  readonly calls: readonly FakeToolCall[];
}

export const toolOf = (
  name: string,
  annotations: McpTool['annotations'] = {},
  required: readonly string[] = [],
): McpTool => ({
  server: 'filesystem',
  name,
  description: `Does ${name}`,
  inputSchema: { type: 'object', properties: {}, required },
  annotations,
});

export const textResult = (text: string, isError = false): McpToolResult => ({
  content: [{ type: 'text', text }],
  isError,
});

/** Tools with one body for all; wire names as the product makes them. */
export const openFakeTools = (tools: readonly McpTool[], body: (call: FakeToolCall) => McpToolResult): FakeTools => {
  const calls: FakeToolCall[] = [];
  const byName = new Map(tools.map((tool) => [`mcp__${tool.server}__${tool.name}`, tool]));
  return {
    calls,
    tools: () => byName,
    call: async (tool, input, { idempotencyKey }) => {
      const call = { tool: tool.name, input, idempotencyKey };
      calls.push(call);
      return body(call);
    },
  };
};
