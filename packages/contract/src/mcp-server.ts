import * as z from 'zod';

/** A stdio MCP server as an administrator configured it. Workflows and other users only name its id. */
export const McpServerConfig = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/u),
  command: z.string().min(1),
  args: z.array(z.string()),
  /** Variables beside the allow-list HOME, PATH, SHELL, TERM, USER, LOGNAME, LANG. */
  env: z.record(z.string(), z.string()),
});
export interface McpServerConfig extends z.infer<typeof McpServerConfig> {}

/** A tool as its server describes it. */
export interface McpTool {
  readonly server: string;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations: {
    readonly readOnlyHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly destructiveHint?: boolean;
  };
}

/** Result of one call; `content` is kept as the server sent it. */
export interface McpToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly isError: boolean;
}
