import type { McpElicitation, McpElicitationAnswer, McpTool, McpToolResult } from '@cloutagent/contract';
import type { ToolDefinition } from '../model/port.ts';

/** The tools of the MCP servers that an agent may use. */
export interface ToolPort {
  /** Wire name (`mcp__server__tool`) → tool, sorted by wire name and frozen for the run. */
  tools(): ReadonlyMap<string, McpTool>;
  /** Why a call is not made, in words for the model; undefined where it may be. Asked before anything of it is recorded. */
  refuse?(tool: McpTool, input: unknown): Promise<string | undefined>;
  /** Errors of the tool itself come back as `isError`; a lost connection throws MCP_CONNECTION_FAILED. */
  call(
    tool: McpTool,
    input: unknown,
    options: {
      readonly signal: AbortSignal;
      readonly idempotencyKey: string;
      /** Answers what the server asks a person during the call; the signal is aborted when it takes the question back. */
      readonly elicit?: (question: McpElicitation, signal: AbortSignal) => Promise<McpElicitationAnswer>;
    },
  ): Promise<McpToolResult>;
}

/** The tools as the Messages API takes them. */
export const toDefinitions = (tools: ReadonlyMap<string, McpTool>): readonly ToolDefinition[] =>
  [...tools].map(([name, tool]) => ({ name, description: tool.description, input_schema: tool.inputSchema }));
