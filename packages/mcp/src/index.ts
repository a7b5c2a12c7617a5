export { openStdioServer, type Log, type McpCallOptions, type McpConnection, type McpDeps } from './connection.ts';
export { toWireNames } from './tool-name.ts';
export { startWatchdog, type Watchdog } from './watchdog.ts';
