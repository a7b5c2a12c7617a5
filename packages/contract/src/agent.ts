import * as z from 'zod';
import type { ErrorCode } from './error.ts';
import { Usage } from './usage.ts';

/**
 * Property of a tool's input (seed 003 "Core Type Definitions"). Servers send more than this, and it is kept; `MCPTool` takes
 * whatever a server sends there, since a property that is none must not hide the tool.
 */
export const MCPToolProperty = z.looseObject({
  type: z.unknown().optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
export interface MCPToolProperty extends z.infer<typeof MCPToolProperty> {}

export const MCPTool = z.object({
  name: z.string(),
  description: z.string(),
  inputSchema: z.looseObject({
    type: z.literal('object'),
    properties: z.record(z.string(), z.unknown()),
    required: z.array(z.string()).optional(),
  }),
});
export interface MCPTool extends z.infer<typeof MCPTool> {}

/**
 * A server of an agent in the seed's form. `sse` needs `url`; `http` is Streamable HTTP. The command of a server is run on
 * this machine, so that only an administrator may name one.
 */
export const MCPServerConfig = z
  .strictObject({
    id: z.string().min(1).max(64),
    name: z.string().min(1).max(64),
    command: z.string().max(4096).default(''),
    args: z.array(z.string().max(8192)).max(256).default([]),
    env: z.record(z.string(), z.string().max(32_768)).optional(),
    transport: z.enum(['stdio', 'sse', 'http']).default('stdio'),
    url: z.url().optional(),
  })
  .refine(({ transport, command }) => transport !== 'stdio' || command !== '', {
    path: ['command'],
    error: 'a stdio server needs a command',
  })
  .refine(({ transport, url }) => transport === 'stdio' || url !== undefined, {
    path: ['url'],
    error: 'this transport needs a url',
  });
export interface MCPServerConfig extends z.infer<typeof MCPServerConfig> {}
/** What a caller writes. */
export type MCPServerConfigInput = z.input<typeof MCPServerConfig>;

export const MCPConnection = z.object({
  serverId: z.string(),
  serverName: z.string(),
  status: z.enum(['connected', 'connecting', 'disconnected', 'error']),
  tools: z.array(MCPTool),
  error: z.string().optional(),
});
export interface MCPConnection extends z.infer<typeof MCPConnection> {}

/** How much a model thinks before it answers; which of them a model takes stands in the model registry. */
export const Effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);
export type Effort = z.infer<typeof Effort>;

/** Turns of a tool loop, unless the agent names its own number. */
export const DEFAULT_MAX_ITERATIONS = 5;

/** Agents of seed 003, with what today's Messages API has beyond it. Bounds keep one agent below a megabyte. */
export const AgentConfig = z.strictObject({
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(200),
  /** Open: the registry of models knows aliases and ids that are no longer served. */
  model: z.string().min(1).max(200),
  /** May hold `{{variables}}`. */
  systemPrompt: z.string().max(400_000).default(''),
  /** Sent only to models that take it. */
  temperature: z.number().min(0).max(1).optional(),
  /** Largest `max_tokens` of one model call. */
  maxTokens: z.int().min(1).max(128_000).default(4096),
  /** `server:tool`, `server:*` or wire names; empty = every tool of the agent's own servers. */
  enabledTools: z.array(z.string().min(1).max(300)).max(1000).default([]),
  mcpServers: z.array(MCPServerConfig).max(32).optional(),
  maxIterations: z.int().min(1).max(500).default(DEFAULT_MAX_ITERATIONS),
  effort: Effort.optional(),
  /** Sent as it is; what a model takes is up to the model. */
  thinking: z.looseObject({ type: z.string() }).optional(),
  stopSequences: z.array(z.string().min(1).max(200)).max(16).optional(),
  /** JSON Schema of the answer (structured output). */
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  /** Further fields of the request, such as `mcp_servers` of the MCP connector; sent as they are. */
  requestFields: z.record(z.string(), z.unknown()).optional(),
  /** Values of `anthropic-beta`. */
  betas: z.array(z.string().min(1).max(100)).max(20).optional(),
});
export interface AgentConfig extends z.infer<typeof AgentConfig> {}
/** What a caller writes; fields with a default may be left out. */
export type AgentConfigInput = z.input<typeof AgentConfig>;

export const Agent = z.object({
  id: z.string(),
  name: z.string(),
  config: AgentConfig,
  mcpConnections: z.array(MCPConnection).optional(),
});
export interface Agent extends z.infer<typeof Agent> {}

export const ExecutionOptions = z.strictObject({
  /** Milliseconds until the execution ends as `timeout`. */
  timeout: z.int().min(1).max(86_400_000).optional(),
  maxTokens: z.int().min(1).max(128_000).optional(),
  maxIterations: z.int().min(1).max(500).optional(),
  variables: z.record(z.string().max(200), z.string().max(1_000_000)).optional(),
  streaming: z.boolean().optional(),
  userId: z.string().max(200).optional(),
  /** Continues the conversation of an earlier execution of the same agent. */
  conversationId: z.string().max(128).optional(),
});
export interface ExecutionOptions extends z.infer<typeof ExecutionOptions> {}

export const ToolCall = z.object({
  id: z.string(),
  /** As its server names it. */
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  server: z.string().optional(),
});
export interface ToolCall extends z.infer<typeof ToolCall> {}

export const ToolCallResult = z.object({
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  output: z.string(),
  /** Milliseconds. */
  duration: z.number(),
  success: z.boolean(),
  error: z.string().optional(),
  server: z.string().optional(),
});
export interface ToolCallResult extends z.infer<typeof ToolCallResult> {}

/** Seed 003 "Error Types": retryable = later it may work, fatal = somebody must mend something, user_error = the request is wrong. */
export const ErrorCategory = z.enum(['retryable', 'fatal', 'user_error']);
export type ErrorCategory = z.infer<typeof ErrorCategory>;

export const SDKExecutionResult = z.object({
  id: z.string(),
  status: z.enum(['completed', 'failed', 'timeout']),
  /** The last words, also of an execution that failed. */
  result: z.string().optional(),
  /** `promptTokens` counts cached tokens too; `totalCost` is in dollars. */
  cost: z.object({ promptTokens: z.int(), completionTokens: z.int(), totalCost: z.number() }),
  /** Milliseconds. */
  duration: z.number(),
  error: z.string().optional(),
  toolCalls: z.array(ToolCallResult).optional(),
  conversationId: z.string().optional(),
  stopReason: z.string().optional(),
  usage: Usage.optional(),
  costNanoUsd: z.int().optional(),
  modelCalls: z.int().optional(),
  errorCode: z.string().optional(),
  errorCategory: ErrorCategory.optional(),
  /** What to tell somebody who does not know the system. */
  userMessage: z.string().optional(),
  /** The answer as a value, where the agent has an `outputSchema`. */
  structured: z.unknown().optional(),
  warnings: z.array(z.string()).optional(),
});
export interface SDKExecutionResult extends z.infer<typeof SDKExecutionResult> {}

/**
 * Chunks of a stream, in the order
 * `waiting? (usage (content | thinking | retry)* usage tool_call* (waiting | tool_result)*)+ error? done`.
 * The first five kinds are those of seed 003; `done` comes exactly once, last.
 */
export const StreamChunk = z.discriminatedUnion('type', [
  z.object({ type: z.literal('content'), content: z.string() }),
  z.object({ type: z.literal('tool_call'), toolCall: ToolCall }),
  z.object({ type: z.literal('tool_result'), toolResult: ToolCallResult }),
  z.object({ type: z.literal('error'), error: z.string(), code: z.string().optional() }),
  z.object({ type: z.literal('done'), result: SDKExecutionResult }),
  z.object({ type: z.literal('thinking'), content: z.string() }),
  /** Tokens so far; `estimated` until the server has counted the answer. */
  z.object({ type: z.literal('usage'), usage: Usage, costUsd: z.number(), estimated: z.boolean() }),
  /** A call or a node is made again; the last `discarded` characters of content, which came of it, no longer count. */
  z.object({
    type: z.literal('retry'),
    attempt: z.int(),
    delayMs: z.int(),
    code: z.string(),
    message: z.string(),
    discarded: z.int(),
  }),
  /** For a free place, or in the middle of a tool call for a person, who decides about the approval. */
  z.object({
    type: z.literal('waiting'),
    reason: z.enum(['slot', 'budget', 'person']),
    position: z.int(),
    approval: z.string().optional(),
    title: z.string().optional(),
  }),
]);
export type StreamChunk = z.infer<typeof StreamChunk>;

/** Bad configuration or a missing key; failures of a run are results, not errors. */
export class ClaudeSDKError extends Error {
  readonly code: string;
  readonly details: unknown;

  constructor(message: string, code: string, details?: unknown) {
    super(message);
    this.name = 'ClaudeSDKError';
    this.code = code;
    this.details = details;
  }
}

export const MCP_ERROR_CODES = [
  'CONNECTION_FAILED',
  'ADD_SERVER_FAILED',
  'TOOL_NOT_FOUND',
  'SERVER_NOT_CONNECTED',
] as const;

/** `code` is one of `MCP_ERROR_CODES`. */
export class MCPError extends Error {
  readonly serverId: string;
  readonly code: string;
  readonly details: unknown;

  constructor(message: string, serverId: string, code: string, details?: unknown) {
    super(message);
    this.name = 'MCPError';
    this.serverId = serverId;
    this.code = code;
    this.details = details;
  }
}

/** Who can mend a failure, and in words for somebody who does not know the system (seed 003, task 2.3). */
export interface FailureKind {
  readonly category: ErrorCategory;
  readonly userMessage: string;
}

const kind = (category: ErrorCategory, userMessage: string): FailureKind => ({ category, userMessage });

const UNEXPECTED = kind('fatal', 'An unexpected error occurred. Please try again.');

const FAILURE_KINDS: Partial<Record<ErrorCode | 'CANCELLED', FailureKind>> = {
  MODEL_KEY_MISSING: kind('fatal', 'Authentication failed. Please check your API key.'),
  MODEL_ACCOUNT_LIMIT: kind('fatal', 'The account behind the API key has reached its limit. Please check its billing.'),
  MODEL_RATE_LIMITED: kind('retryable', 'Too many requests. Please wait a moment and try again.'),
  MODEL_UNAVAILABLE: kind('retryable', 'The model service is temporarily unavailable. Please try again in a moment.'),
  MODEL_REQUEST_REFUSED: kind(
    'user_error',
    'The model service refused this request. Please check the agent and its input.',
  ),
  MODEL_REFUSED: kind('user_error', 'The model declined this request. Please reword it.'),
  MODEL_RETIRED: kind('user_error', 'This model is no longer served. Please choose another one.'),
  PRICE_UNKNOWN: kind('user_error', 'The price of this model is not known. Please choose another one.'),
  MAX_ITERATIONS: kind('user_error', 'The agent used all its turns. Please ask for less at once, or allow more turns.'),
  TASK_FAILED: kind('user_error', 'The agent could not finish. Please ask for less at once.'),
  CANCELLED: kind('user_error', 'The execution was cancelled.'),
  BUDGET_EXHAUSTED: kind('user_error', 'The budget is used up. Please raise it to go on.'),
  MCP_CONNECTION_FAILED: kind('retryable', 'A tool server could not be reached. Please try again in a moment.'),
  INVALID_INPUT: kind('user_error', 'The request is not valid. Please check it.'),
  SHUTTING_DOWN: kind('retryable', 'The server is stopping. Please try again in a moment.'),
  REQUEST_TIMEOUT: kind('retryable', 'The request took too long. Please try again.'),
};

/** Category and user message of an error code; what is not listed is fatal. */
export const failureKind = (code: string | undefined): FailureKind =>
  (code === undefined ? undefined : (FAILURE_KINDS as Readonly<Record<string, FailureKind>>)[code]) ?? UNEXPECTED;
