/** A tool as an MCP server lists it. */
export interface RemoteTool {
  readonly name: string;
  readonly description: string | null;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

/** A server of `mcp_servers` with what its toolset says of it. */
export interface McpServer {
  readonly name: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly isEnabled: (tool: string) => boolean;
  /** Tools that are pinned: the server is not asked for them. */
  readonly pinned: readonly RemoteTool[] | undefined;
}
