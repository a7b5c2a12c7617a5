import { openHttpServer, type HttpDeps } from './http.ts';
import { openStdioServer, type OpenOptions } from './stdio.ts';
import type { Target } from './target.ts';
import type { McpConnection } from './types.ts';

/** Opens a server over the transport that its entry names. Errors: MCP_CONNECTION_FAILED, MCP_ADDRESS_REFUSED. */
export const openServer = (target: Target, deps: HttpDeps, options: OpenOptions = {}): Promise<McpConnection> =>
  target.transport === 'stdio' ? openStdioServer(target, deps, options) : openHttpServer(target, deps, options);
