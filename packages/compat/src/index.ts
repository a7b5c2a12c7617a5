export { ClaudeSDKError, MCPError } from '@cloutagent/contract';
export type {
  Agent,
  AgentConfig,
  ExecutionOptions,
  MCPConnection,
  MCPServerConfig,
  MCPServerConfigInput,
  MCPTool,
  MCPToolProperty,
  SDKExecutionResult,
  StreamChunk,
  ToolCall,
  ToolCallResult,
} from '@cloutagent/contract';
export { ClaudeSDKService } from './claude-sdk-service.ts';
export {
  CostTrackingService,
  type CostAlert,
  type CostLimit,
  type CostRecord,
  type ProjectCostSummary,
} from './cost-tracking.ts';
export {
  CircuitBreaker,
  ErrorCategory,
  ErrorHandler,
  RetryManager,
  type ErrorContext,
  type RetryOptions,
} from './error-handling.ts';
export { MCPClient, type ConnectionStatus } from './mcp-client.ts';
export { MCPClientPool } from './mcp-client-pool.ts';
