export { openApprovals, type Approval, type Approvals } from './approvals.ts';
export { openHttpServer, type HttpDeps } from './http.ts';
export { installPreset } from './install-preset.ts';
export { Lease, type LeaseFailure, type OpenLeaseOptions } from './lease.ts';
export { createPool, type McpPool, type PoolDeps, type ServerSource } from './pool.ts';
export { PRESETS, presetOf, type Preset } from './presets.ts';
export { openRegistry, type RegisteredServer, type Registry, type RegistryDeps } from './registry.ts';
export { givenKeys, keyFile, type SecretKeys } from './secret-key.ts';
export { openSecretStore, type SecretStore } from './secret-store.ts';
export { isReference, looksSecret } from './secret-value.ts';
export { openStdioServer, type OpenOptions } from './stdio.ts';
export type { ServerReport } from './supervised.ts';
export type { RemoteTarget, StdioTarget, Target } from './target.ts';
export { testServer } from './test-server.ts';
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
