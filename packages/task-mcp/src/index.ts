export type { Archive, ArchiveOptions } from './changes.ts';
export { createTaskMcp, type TaskMcp, type TaskMcpDeps, type TaskMcpOptions } from './task-mcp.ts';
