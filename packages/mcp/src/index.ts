export { openHttpServer, type HttpDeps } from './http.ts';
export { Lease, type LeaseFailure } from './lease.ts';
export { createPool, type McpPool, type OpenLeaseOptions, type PoolDeps, type ServerSource } from './pool.ts';
export { openStdioServer, type OpenOptions } from './stdio.ts';
export type { ServerReport } from './supervised.ts';
export type { RemoteTarget, StdioTarget, Target } from './target.ts';
export { toWireNames } from './tool-name.ts';
export type {
  Elicit,
  Log,
  McpCallOptions,
  McpConnection,
  McpDeps,
  McpMessage,
  McpPrompt,
  McpResource,
} from './types.ts';
export { startWatchdog, type Watchdog } from './watchdog.ts';
