export { serveMetrics } from './metrics-server.ts';
export type { Archive, ArchiveOptions } from './changes.ts';
export { PROTOCOL_VERSIONS, type ServerFactory } from './mcp/factory.ts';
export type { TaskSupport } from './mcp/task-desk.ts';
export { createTaskMcp, type TaskMcp, type TaskMcpDeps, type TaskMcpOptions } from './task-mcp.ts';
