import * as z from 'zod';
import {
  McpDrift,
  McpServerConfig,
  McpServerId,
  McpServerStatus,
  McpTestResult,
  McpTestStep,
  McpTool,
} from './mcp-server.ts';

/** Either a whole entry, or a preset with what it needs. */
export const McpServerAdd = z.union([
  z.strictObject({ config: McpServerConfig, replace: z.boolean().default(false) }),
  z.strictObject({
    preset: z.string().min(1).max(50),
    /** The preset's own name by default, or the next one that is free. */
    id: McpServerId.optional(),
    args: z.array(z.string().max(8192)).max(50).default([]),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u), z.string().max(8192)).default({}),
    replace: z.boolean().default(false),
  }),
]);
export type McpServerAdd = z.infer<typeof McpServerAdd>;

export const McpPreset = z.object({
  id: z.string(),
  title: z.string(),
  args: z.string(),
  needs: z.int(),
  package: z.object({ name: z.string(), version: z.string() }).optional(),
});

/**
 * The body of seed 003 task 2.2: a whole configuration, or the id of a registered server alone. It may give a command, so it
 * is an administrator's; everybody else has registered servers tried by `mcpServerTest`.
 */
export const McpTestRequest = z.object({
  id: z.string().max(100),
  params: z.record(z.string(), z.string()).optional(),
  name: z.string().max(100).optional(),
  transport: z.enum(['stdio', 'sse', 'http']).optional(),
  command: z.string().max(4096).optional(),
  args: z.array(z.string().max(8192)).max(200).optional(),
  env: z.record(z.string(), z.string().max(8192)).optional(),
  url: z.string().max(2048).optional(),
  headers: z.record(z.string(), z.string().max(8192)).optional(),
  allowNetworks: z.array(z.string().max(50)).max(32).optional(),
});
export type McpTestRequest = z.infer<typeof McpTestRequest>;

const server = '/api/mcp/servers/:id';

/** Routes of MCP servers. What gives a command or an address needs `admin`; everybody else names ids. */
export const MCP_ROUTES = {
  mcpServers: {
    method: 'GET',
    path: '/api/mcp/servers',
    scope: 'read',
    summary: 'The registered MCP servers and how they are',
    output: z.object({ servers: z.array(McpServerStatus) }),
  },
  mcpPresets: {
    method: 'GET',
    path: '/api/mcp/presets',
    scope: 'read',
    summary: 'MCP servers that can be added by name, with their pinned versions',
    output: z.object({ presets: z.array(McpPreset) }),
  },
  mcpServerAdd: {
    method: 'POST',
    path: '/api/mcp/servers',
    scope: 'admin',
    summary: 'Register an MCP server, which approves it as it is; a preset is installed',
    body: McpServerAdd,
    output: McpServerStatus,
    timed: false,
  },
  mcpServerRemove: {
    method: 'DELETE',
    path: server,
    scope: 'admin',
    summary: 'Forget an MCP server and end its connections',
    output: z.object({ id: z.string(), removed: z.literal(true) }),
  },
  mcpServerApprove: {
    method: 'POST',
    path: `${server}/approve`,
    scope: 'admin',
    summary: 'Approve an MCP server as it is now, and the tools that it offers now',
    body: z.strictObject({
      /** The digest that was looked at; something else has come in between if it differs. */
      digest: z.string().max(64).optional(),
    }),
    output: McpServerStatus,
    timed: false,
  },
  mcpRekey: {
    method: 'POST',
    path: '/api/mcp/rekey',
    scope: 'admin',
    summary: 'Seal the secrets of MCP servers with another key: a fresh one, or the first of CLOUT_SECRET_KEY',
    output: z.object({ secrets: z.int() }),
  },
  mcpServerTest: {
    method: 'POST',
    path: `${server}/test`,
    scope: 'run',
    summary: 'Start or call a registered server, list its tools and end it again',
    body: z.strictObject({ params: z.record(z.string(), z.string()).default({}) }),
    output: z.object({ success: z.boolean(), steps: z.array(McpTestStep) }),
    timed: false,
  },
  mcpServerTools: {
    method: 'GET',
    path: `${server}/tools`,
    scope: 'run',
    summary: 'The approved tools of a server, and what differs from them',
    output: z.object({ tools: z.array(McpTool), drift: McpDrift.optional() }),
    timed: false,
  },
  mcpToolCall: {
    method: 'POST',
    path: `${server}/call`,
    scope: 'run',
    summary: 'Call one tool of a server',
    body: z.strictObject({
      tool: z.string().min(1).max(200),
      input: z.record(z.string(), z.unknown()).default({}),
      params: z.record(z.string(), z.string()).default({}),
      timeoutMs: z.int().min(100).max(3_600_000).optional(),
    }),
    output: z.object({ content: z.array(z.record(z.string(), z.unknown())), isError: z.boolean() }),
    timed: false,
  },
  mcpTestConnection: {
    method: 'POST',
    path: '/api/mcp/test-connection',
    scope: 'admin',
    summary:
      'Try a server (seed 003 task 2.2): 200 or 400 with its JSON, or the steps as events for Accept: text/event-stream',
    body: McpTestRequest,
    output: McpTestResult,
    timed: false,
  },
} as const;
