import { ProtocolError, ProtocolErrorCode, type Client } from '@modelcontextprotocol/client';
import type { McpElicitation, McpElicitationAnswer } from '@cloutagent/contract';
import type { Elicit, Log } from './types.ts';

/** A call in flight, which a question of the server may be about. */
export interface CallInFlight {
  readonly tool: string;
  readonly idempotencyKey: string;
  readonly elicit: Elicit | undefined;
}

/** What a client that can ask a person says of itself. */
export const ASKING = { elicitation: { form: { applyDefaults: true }, url: {} } } as const;

/**
 * Answers what a server asks of its client. An elicitation goes to the call in flight, where there is one, else to the
 * connection's own; everything else is refused in words.
 */
export const answerServer = (
  client: Client,
  options: {
    readonly server: string;
    readonly elicit: Elicit | undefined;
    readonly calls: ReadonlySet<CallInFlight>;
    readonly log: Log;
  },
): void => {
  const { server, elicit, calls, log } = options;
  if (elicit !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }, context) => {
      const [only] = calls.size === 1 ? calls : [];
      const call = only === undefined ? {} : { call: { tool: only.tool, idempotencyKey: only.idempotencyKey } };
      const request: McpElicitation =
        'url' in params
          ? { server, mode: 'url', message: params.message, url: params.url, ...call }
          : { server, mode: 'form', message: params.message, schema: params.requestedSchema, ...call };
      log('info', 'MCP server asks for something', { server, mode: request.mode, message: request.message });
      return toResult(await (only?.elicit ?? elicit)(request, context.mcpReq.signal));
    });
  }
  client.fallbackRequestHandler = ({ method }) => {
    log('warn', 'MCP server asked for something that is not given', { server, method });
    return Promise.reject(
      new ProtocolError(
        ProtocolErrorCode.MethodNotFound,
        method === 'sampling/createMessage'
          ? 'CloutAgent makes no model calls for servers (sampling is deprecated): call a model yourself, or return the question as your result'
          : `CloutAgent does not answer ${method}`,
      ),
    );
  };
};

const toResult = (answer: McpElicitationAnswer) => ({
  action: answer.action,
  ...(answer.content === undefined ? {} : { content: { ...answer.content } }),
});
