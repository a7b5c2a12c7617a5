import { describe, expect, it } from 'vitest';
import {
  Agent,
  AgentConfig,
  ClaudeSDKError,
  ExecutionOptions,
  MCPConnection,
  MCPError,
  MCPServerConfig,
  MCPTool,
  MCPToolProperty,
  SDKExecutionResult,
  StreamChunk,
  ToolCall,
  ToolCallResult,
  type AgentConfigInput,
  type MCPServerConfigInput,
} from './agent.ts';

// The types of seed 003 "Core Type Definitions", with every field that it names, required or not.

const property: MCPToolProperty = {
  type: 'array',
  description: 'Paths',
  enum: ['a'],
  items: { type: 'object', properties: { deep: { type: 'boolean' } } },
};
const tool = {
  name: 'read_file',
  description: 'Reads',
  inputSchema: { type: 'object', properties: { path: { type: 'string' }, all: property }, required: ['path'] },
};
const server: MCPServerConfigInput = {
  id: 'fs',
  name: 'filesystem',
  command: 'npx',
  args: ['-y', 'server'],
  env: { A: 'b' },
  transport: 'stdio',
};
const remote: MCPServerConfigInput = {
  id: 'web',
  name: 'web',
  command: '',
  args: [],
  transport: 'sse',
  url: 'https://example.com/sse',
};
const config: AgentConfigInput = {
  id: 'a',
  name: 'A',
  model: 'claude-3-opus-20240229',
  systemPrompt: 'You are {{name}}.',
  temperature: 0.7,
  maxTokens: 1024,
  enabledTools: ['filesystem:read_file'],
  mcpServers: [server, remote],
};
const connection = { serverId: 'fs', serverName: 'filesystem', status: 'error', tools: [tool], error: 'gone' };
const call = { id: 't1', name: 'read_file', input: { path: '/tmp' } };
const callResult = { ...call, output: 'text', duration: 3, success: false, error: 'no such file' };
const result = {
  id: 'run',
  status: 'timeout',
  result: 'text',
  cost: { promptTokens: 1, completionTokens: 2, totalCost: 0.5 },
  duration: 10,
  error: 'too long',
  toolCalls: [callResult],
};
const options = {
  timeout: 1000,
  maxTokens: 10,
  variables: { name: 'x' },
  streaming: true,
  userId: 'u',
  conversationId: 'c',
};

describe('[E1.types] the types of seed 003', () => {
  it.each([
    ['AgentConfig', AgentConfig, { ...config, maxIterations: 5 }],
    ['Agent', Agent, { id: 'a', name: 'A', config: { ...config, maxIterations: 5 }, mcpConnections: [connection] }],
    ['ExecutionOptions', ExecutionOptions, options],
    ['SDKExecutionResult', SDKExecutionResult, result],
    ['ToolCallResult', ToolCallResult, callResult],
    ['ToolCall', ToolCall, call],
    ['MCPServerConfig', MCPServerConfig, server],
    ['MCPServerConfig over SSE', MCPServerConfig, remote],
    ['MCPConnection', MCPConnection, connection],
    ['MCPTool', MCPTool, tool],
    ['MCPToolProperty', MCPToolProperty, property],
    ['content', StreamChunk, { type: 'content', content: 'x' }],
    ['tool_call', StreamChunk, { type: 'tool_call', toolCall: call }],
    ['tool_result', StreamChunk, { type: 'tool_result', toolResult: callResult }],
    ['error', StreamChunk, { type: 'error', error: 'x' }],
    ['done', StreamChunk, { type: 'done', result }],
  ])('%s keeps every field', (_name, schema, value) => {
    expect(schema.parse(value)).toEqual(value);
  });

  it.each(['claude-sonnet-4-5', 'claude-opus-4', 'claude-3-5-sonnet-20241022', 'claude-3-opus-20240229'])(
    'takes the model %s',
    (model) => {
      expect(AgentConfig.parse({ ...config, model }).model).toBe(model);
    },
  );

  it.each(['completed', 'failed', 'timeout'] as const)('a result may be %s', (status) => {
    expect(SDKExecutionResult.parse({ ...result, status }).status).toBe(status);
  });

  it.each(['connected', 'connecting', 'disconnected', 'error'] as const)('a connection may be %s', (status) => {
    expect(MCPConnection.parse({ ...connection, status }).status).toBe(status);
  });

  it('refuses what the seed does not have', () => {
    expect(SDKExecutionResult.safeParse({ ...result, status: 'lost' }).success).toBe(false);
    expect(StreamChunk.safeParse({ type: 'other' }).success).toBe(false);
    expect(MCPServerConfig.safeParse({ ...remote, url: undefined }).success).toBe(false);
  });

  it('has the errors with code, server and details', () => {
    const sdk = new ClaudeSDKError('wrong', 'INVALID_INPUT', { a: 1 });
    expect(sdk).toMatchObject({ name: 'ClaudeSDKError', message: 'wrong', code: 'INVALID_INPUT', details: { a: 1 } });
    const mcp = new MCPError('gone', 'fs', 'CONNECTION_FAILED', { b: 2 });
    expect(mcp).toMatchObject({ name: 'MCPError', serverId: 'fs', code: 'CONNECTION_FAILED', details: { b: 2 } });
    expect([sdk, mcp].every((error) => error instanceof Error)).toBe(true);
  });
});
