import { AsyncLocalStorage } from 'node:async_hooks';
import { ProtocolError, ProtocolErrorCode, type Client } from '@modelcontextprotocol/client';
import type { McpElicitation, McpElicitationAnswer } from '@cloutagent/contract';
import { redact } from './redact.ts';
import type { Elicit, Log } from './types.ts';

/** A call in flight, which a question of the server may be about. */
export interface CallInFlight {
  readonly tool: string;
  readonly idempotencyKey: string;
  readonly elicit: Elicit | undefined;
  /** Its time stands still until what it gives is called. */
  readonly hold: () => () => void;
  /** Aborted when the call is over: nobody answers what it asked any more. */
  readonly ended: AbortSignal;
}

/** The call in which a question arrives, where the protocol says so: over HTTP, and everywhere since 2026-07-28. */
const current = new AsyncLocalStorage<CallInFlight>();

/** Makes a call, so that what the server asks in it is known to be about it. */
export const duringCall = <T>(call: CallInFlight, send: () => Promise<T>): Promise<T> => current.run(call, send);

/** The calls that a question may be about. */
const callsOf = (calls: ReadonlySet<CallInFlight>): readonly CallInFlight[] => {
  const call = current.getStore();
  return call !== undefined && calls.has(call) ? [call] : [...calls];
};

/** What a client that can ask a person says of itself. */
export const ASKING = { elicitation: { form: { applyDefaults: true }, url: {} } } as const;

/**
 * Answers what a server asks of its client. An elicitation goes to the call that it is about; where the protocol does not say,
 * to the oldest one in flight that can ask a person, and the time of all of them stands still. Everything else is refused in
 * words.
 */
export const answerServer = (
  client: Client,
  options: {
    readonly server: string;
    readonly secrets: readonly string[] | undefined;
    readonly elicit: Elicit | undefined;
    readonly calls: ReadonlySet<CallInFlight>;
    readonly log: Log;
  },
): void => {
  const { server, secrets, elicit, calls, log } = options;
  if (elicit !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }, context) => {
      const about = callsOf(calls);
      const [only] = about.length === 1 ? about : [];
      const call = only === undefined ? {} : { call: { tool: only.tool, idempotencyKey: only.idempotencyKey } };
      const asking = about.find((one) => one.elicit !== undefined);
      const { signal: withdrawn } = context.mcpReq;
      const signal = asking === undefined ? withdrawn : AbortSignal.any([withdrawn, asking.ended]);
      const message = redact(secrets, params.message);
      const request: McpElicitation =
        'url' in params
          ? { server, mode: 'url', message, url: params.url, ...call }
          : { server, mode: 'form', message, schema: redact(secrets, params.requestedSchema), ...call };
      log('info', 'MCP server asks for something', { server, mode: request.mode, message: request.message });
      const held = about.map((one) => one.hold());
      try {
        return toResult(await (asking?.elicit ?? elicit)(request, signal));
      } finally {
        for (const release of held) release();
      }
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
