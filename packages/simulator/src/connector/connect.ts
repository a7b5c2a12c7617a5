import { invalid } from '../refusal.ts';
import type { Block, MessagesRequest } from '../request.ts';
import type { ToolCall } from '../scenario.ts';
import { McpProblem, openMcp, type McpSession } from './mcp-client.ts';
import type { McpServer, RemoteTool } from './types.ts';

/** The servers of one request, connected. */
export interface Connector {
  /** Their tools beside the request's own, as a scenario sees them. */
  readonly tools: readonly Readonly<Record<string, unknown>>[];
  /** `mcp_tool_listing` blocks, one a server. */
  readonly listings: readonly Block[];
  readonly owns: (call: ToolCall) => boolean;
  /** Calls a tool on its server; a server that fails is an error of the tool, as the model would see it. */
  call(call: ToolCall): Promise<readonly Block[]>;
  close(): Promise<void>;
}

/** Connects to every server of a request and asks for its tools; 400 where one cannot be reached. */
export const connect = async (
  { mcpServers }: MessagesRequest,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<Connector> => {
  const sessions = new Map<string, McpSession>();
  const close = async (): Promise<void> => {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  };
  const listed: { readonly server: McpServer; readonly tools: readonly RemoteTool[] }[] = [];
  try {
    for (const server of mcpServers) {
      const session = await openMcp({ url: server.url, token: server.token, signal });
      sessions.set(server.name, session);
      const tools = (server.pinned ?? (await session.tools())).filter(({ name }) => server.isEnabled(name));
      listed.push({ server, tools });
    }
  } catch (error) {
    await close();
    if (!(error instanceof McpProblem)) throw error;
    throw invalid(
      `${error.message} while communicating with the MCP server '${mcpServers[listed.length]?.name ?? ''}'`,
    );
  }
  const ownerOf = (name: string): string | undefined =>
    listed.find(({ tools }) => tools.some((tool) => tool.name === name))?.server.name;
  let calls = 0;
  return {
    tools: listed.flatMap(({ tools }) => tools.map((tool) => ({ ...tool }))),
    listings: listed.map(({ server, tools }) => ({
      type: 'mcp_tool_listing',
      mcp_server_name: server.name,
      tools,
    })),
    owns: ({ name }) => ownerOf(name) !== undefined,
    async call({ name, input }) {
      const server = ownerOf(name) ?? '';
      calls += 1;
      const useId = `mcptoolu_${id}_${calls}`;
      const result = await sessions
        .get(server)
        ?.call(name, input)
        .catch((error: unknown) => {
          if (!(error instanceof McpProblem)) throw error;
          return { content: [{ type: 'text', text: error.message, citations: null }], is_error: true };
        });
      return [
        { type: 'mcp_tool_use', id: useId, name, input, server_name: server },
        { type: 'mcp_tool_result', tool_use_id: useId, is_error: true, content: [], ...result },
      ];
    },
    close,
  };
};
