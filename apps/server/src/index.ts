export { backUpStore } from '@cloutagent/store';
export { bindAddress, DEFAULT_HOST, DEFAULT_PORT, resolveDataDir, resolveRoot, type Environment } from './config.ts';
export { findServer } from './data-folder.ts';
export { createLog, type Log } from './log.ts';
export { startServer, type RunningServer, type ServerOptions } from './serve.ts';
export { isTrusted, listTrusted, trust, untrust } from './trust.ts';
export { formatWorkflow, parseWorkflow, type WorkflowFile } from './workflow-file.ts';
