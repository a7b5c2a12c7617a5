import type { Reply, RequestContext, Route } from '@cloutagent/http';
import { isLocal } from '../locality.ts';
import type { Caller } from '../run-tool.ts';
import type { McpHttp } from './http.ts';

/** Where clients of the transport of 2024-11-05 post to. */
export const MESSAGES_PATH = '/messages';

const callerOf = (context: RequestContext): Caller => ({
  principal: context.principal,
  local: isLocal(context),
});

type Ask = (mcp: McpHttp, context: RequestContext, caller: Caller) => Promise<Reply> | Reply;

/**
 * The routes of MCP beside `POST /mcp` and `POST /sse`, which it shares with the seed protocol: streams, the end of a
 * session, and the transport of 2024-11-05.
 * @param open loads MCP when the first client speaks it
 */
export const mcpRoutes = (open: () => Promise<McpHttp>): readonly Route[] => {
  const route = (method: Route['method'], path: string, ask: Ask): Route => ({
    method,
    path,
    // What looks is allowed here; tools that do more ask for their own scope.
    scope: 'read',
    // Opening a stream costs more than a call.
    limited: true,
    handler: async (context) => ask(await open(), context, callerOf(context)),
  });
  return [
    route('GET', '/mcp', (mcp, context, caller) => mcp.get(context, caller)),
    route('DELETE', '/mcp', (mcp, context, caller) => mcp.remove(context, caller)),
    route('DELETE', '/sse', (mcp, context, caller) => mcp.remove(context, caller)),
    route('GET', '/sse', (mcp, context, caller) =>
      // A client of Streamable HTTP that was given this address wants its session's stream and no new one.
      context.headers['mcp-session-id'] === undefined ? mcp.openSse(context, caller) : mcp.get(context, caller),
    ),
    route('POST', MESSAGES_PATH, async (mcp, context, caller) =>
      mcp.postToSse(context, caller, await context.readJson()),
    ),
  ];
};
