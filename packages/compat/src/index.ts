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
export {
  ExecutionEngine,
  type Execution,
  type ExecutionStep,
  type SseResponse,
  type Workflow,
  type WorkflowNode,
  type WorkflowOptions,
} from './execution-engine.ts';
export { MCPClient, type ConnectionStatus } from './mcp-client.ts';
export { MCPClientPool } from './mcp-client-pool.ts';
export {
  ClaudeMCPIntegration,
  StreamingClaudeMCPIntegration,
  type IntegrationOptions,
  type RequestAnswer,
  type RequestChunk,
  type RequestOptions,
} from './claude-mcp-integration.ts';
export type { ChangeAnswer, PlainAnswer } from './change-answer.ts';
export { toConnectorRequest, type ConnectorRequest, type SeedConnector } from './mcp-connector.ts';
export type { TaskMcpAddress } from './task-tools.ts';
