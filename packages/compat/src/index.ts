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
