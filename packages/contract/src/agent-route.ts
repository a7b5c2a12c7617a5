import * as z from 'zod';
import { AgentConfig, ExecutionOptions, MCPConnection, SDKExecutionResult } from './agent.ts';
import { McpServerId } from './mcp-server.ts';

/**
 * An agent of the server. Its MCP servers are registered ones, named by id; what else stands in an entry (a command in an
 * imported agent) is not read, because only an administrator says what is started.
 */
export const AgentCreate = AgentConfig.omit({ mcpServers: true }).extend({
  mcpServers: z
    .array(z.union([McpServerId, z.looseObject({ id: McpServerId })]))
    .max(32)
    .default([]),
  /** On the simulator: no key, no cost. */
  simulate: z.boolean().default(false),
});
export type AgentCreate = z.infer<typeof AgentCreate>;

/** An agent as it is shown: values that look like secrets are hidden. */
export const AgentView = z.object({
  id: z.string(),
  name: z.string(),
  config: AgentCreate,
  simulated: z.boolean(),
  /** Of an agent that was used since the server started. */
  mcpConnections: z.array(MCPConnection).optional(),
});
export interface AgentView extends z.infer<typeof AgentView> {}

export const AgentExecute = ExecutionOptions.extend({ input: z.string().min(1).max(1_000_000) });
export type AgentExecute = z.infer<typeof AgentExecute>;
export type AgentExecuteInput = z.input<typeof AgentExecute>;

const agent = '/api/agents/:id';

export const AGENT_ROUTES = {
  agentsList: {
    method: 'GET',
    path: '/api/agents',
    scope: 'read',
    summary: 'The agents of this server',
    output: z.object({ agents: z.array(AgentView) }),
  },
  agentCreate: {
    method: 'POST',
    path: '/api/agents',
    scope: 'run',
    summary: 'Create an agent, or replace the one of the same id; its MCP servers are named by id',
    body: AgentCreate,
    output: AgentView,
    timed: false,
  },
  agentShow: { method: 'GET', path: agent, scope: 'read', summary: 'One agent', output: AgentView },
  agentDelete: {
    method: 'DELETE',
    path: agent,
    scope: 'run',
    summary: 'Delete an agent; what it is doing fails',
    output: z.object({ id: z.string(), deleted: z.literal(true) }),
  },
  agentExecute: {
    method: 'POST',
    path: `${agent}/execute`,
    scope: 'run',
    summary: 'Execute an agent; its failures are results with status failed or timeout',
    body: AgentExecute,
    output: SDKExecutionResult,
    timed: false,
  },
  agentStream: {
    method: 'POST',
    path: `${agent}/stream`,
    scope: 'run',
    summary: 'The same as a stream: SSE events `chunk`, the last one of type done',
    body: AgentExecute,
    output: 'sse',
    timed: false,
  },
  agentTokens: {
    method: 'POST',
    path: `${agent}/tokens`,
    scope: 'run',
    summary: "Tokens of a first request by the model server's own count; null where it does not count",
    body: z.strictObject({ input: z.string().min(1).max(1_000_000) }),
    output: z.object({ inputTokens: z.int().nullable() }),
  },
} as const;
