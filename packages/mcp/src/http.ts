import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { FetchLike } from '@modelcontextprotocol/client';
import { openConnection } from './connection.ts';
import { createGuardedFetch, type Lookup } from './guarded-fetch.ts';
import type { Link } from './link.ts';
import { MAX_LINE_BYTES } from './stdio-transport.ts';
import type { OpenOptions } from './stdio.ts';
import type { RemoteTarget } from './target.ts';
import type { McpConnection, McpDeps } from './types.ts';

export interface HttpDeps extends McpDeps {
  readonly lookup?: Lookup;
  /** Around every request to the server, for what tokens need; whatever it asks by `next` is guarded like all else. */
  readonly middleware?: (next: FetchLike) => FetchLike;
}

/** A server is told that its session is over, but not waited for longer than this. */
const GOODBYE_MS = 1_000;

/**
 * Connects to an MCP server over Streamable HTTP, in either era, or over HTTP+SSE. Nothing but allowed addresses is reached,
 * redirects and the addresses of OAuth included. Throws MCP_CONNECTION_FAILED, MCP_ADDRESS_REFUSED.
 */
export const openHttpServer = (
  target: RemoteTarget,
  deps: HttpDeps,
  options: OpenOptions = {},
): Promise<McpConnection> => {
  const { onStarted, ...era } = options;
  const guarded = createGuardedFetch({
    allowNetworks: target.allowNetworks,
    maxBytes: MAX_LINE_BYTES,
    ...(deps.lookup === undefined ? {} : { lookup: deps.lookup }),
  });
  const url = new URL(target.url);
  const fetch = deps.middleware?.(guarded.fetch) ?? guarded.fetch;
  const common = {
    fetch,
    requestInit: { headers: { ...target.headers } },
  };
  const transport =
    target.transport === 'sse'
      ? // oxlint-disable-next-line typescript/no-deprecated -- servers of before 2025-03-26 speak nothing else
        new SSEClientTransport(url, { ...common, eventSourceInit: { fetch } })
      : new StreamableHTTPClientTransport(url, common);
  let end: (reason: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const link: Link = {
    transport,
    pid: undefined,
    fault: () => undefined,
    stderr: () => '',
    ended,
    stop: async () => {
      // The client has closed the transport by now, so the goodbye is sent by hand.
      if (transport instanceof StreamableHTTPClientTransport && transport.sessionId !== undefined)
        await sayGoodbye(fetch, url, target, transport.sessionId);
      await transport.close();
      guarded.close();
      end('the connection was closed');
    },
  };
  onStarted?.();
  return openConnection(link, target, deps, era);
};

const sayGoodbye = async (
  fetch: (url: URL, init: RequestInit) => Promise<Response>,
  url: URL,
  target: RemoteTarget,
  session: string,
): Promise<void> => {
  try {
    const headers = { ...target.headers, 'mcp-session-id': session };
    const answer = await fetch(url, { method: 'DELETE', headers, signal: AbortSignal.timeout(GOODBYE_MS) });
    await answer.body?.cancel();
  } catch {
    // A session ends by itself too.
  }
};
