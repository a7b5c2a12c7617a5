import { CloutError, type McpTool, type McpToolResult } from '@cloutagent/contract';
import type { AgentTools } from '@cloutagent/engine';
import type { Clock } from '@cloutagent/kit';
import { openHttpServer } from '@cloutagent/mcp';

/** Where Task MCP is served; a `TaskMCPClient` of seed 000 is one. */
export interface TaskMcpAddress {
  /** Without a path: `https://task-mcp.example.com`. */
  readonly baseUrl: string;
  readonly authToken: string;
}

/** A call of a tool that was answered. */
export interface TaskCall {
  /** As Task MCP names it, `change.open`. */
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly result: McpToolResult;
}

export const SERVER_ID = 'task';

/** Whoever constructs the integration names the address, so that it may be on this machine or in its own network. */
const OWN_NETWORKS = ['loopback', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

/**
 * The tools of Task MCP for an agent, by the names of seed 000: `change_open` for `change.open`. Every answer is kept in
 * `calls`.
 */
export const openTaskTools = async (
  { baseUrl, authToken }: TaskMcpAddress,
  clock: Clock,
  calls: TaskCall[],
): Promise<AgentTools> => {
  const connection = await openHttpServer(
    {
      id: SERVER_ID,
      transport: 'http',
      url: new URL('/mcp', baseUrl).href,
      headers: authToken === '' ? {} : { authorization: `Bearer ${authToken}` },
      allowNetworks: OWN_NETWORKS,
    },
    { env: {}, clock, log: () => undefined },
  );
  const tools = byPlainName(connection.tools());
  return {
    port: {
      tools: () => tools,
      async call(tool, input, options) {
        const result = await connection.call(tool.name, input, options);
        calls.push({ tool: tool.name, input: toRecord(input), result });
        return result;
      },
    },
    connections: [],
    close: () => connection.close(),
  };
};

const byPlainName = (tools: readonly McpTool[]): ReadonlyMap<string, McpTool> => {
  const named = tools.map((tool) => [tool.name.replaceAll(/[^a-zA-Z0-9_-]/gu, '_'), tool] as const);
  const byName = new Map([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (byName.size < tools.length)
    throw new CloutError('MCP_CONNECTION_FAILED', 'Two tools of this server have the same name on the Messages API');
  return byName;
};

// Tools of the API take objects alone.
const toRecord = (input: unknown): Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {};
