import type { Reply, RequestContext } from '@cloutagent/http';
import { SUPPORTED_PROTOCOL_VERSIONS } from './sdk.ts';
import type { Caller } from '../run-tool.ts';
import type { Channel } from './channel.ts';
import type { ServerFactory } from './factory.ts';
import { Instances } from './instances.ts';
import { MessageStream } from './message-stream.ts';
import { PostAnswer, STREAM_HEADERS } from './post-answer.ts';
import { Sessions, type Session } from './session.ts';
import { CODE, errorAnswer, idIn, incoming, type Incoming, type RpcError } from './wire.ts';

/** Messages of one batch; each costs as much as a request. */
const MAX_BATCH = 100;
/** From this revision on, clients know events without data. */
const PRIMED_SINCE = '2025-11-25';

export interface LegacyHttp {
  post(context: RequestContext, caller: Caller, body: unknown): Promise<Reply>;
  /** Is this a request of a session that is there, or of none, in a revision that is served? */
  admits(context: RequestContext, caller: Caller): boolean;
  /** The stream of a session's server, or the rest of one that broke off. */
  get(context: RequestContext, caller: Caller): Reply;
  remove(context: RequestContext, caller: Caller): Promise<Reply>;
  close(): Promise<void>;
}

const refuse = (status: number, error: RpcError, id: ReturnType<typeof idIn> = null): Reply => ({
  kind: 'json',
  status,
  body: errorAnswer(id, error),
});

const invalid = (message: string, body: unknown): Reply =>
  refuse(400, { code: CODE.invalidRequest, message }, idIn(body));

/** The specification's word for "start anew"; it says the same of sessions that never were. */
const noSession = (body?: unknown): Reply =>
  refuse(404, { code: CODE.noSession, message: 'Session not found' }, idIn(body));

const headerOf = ({ headers }: RequestContext, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

type IncomingRequest = Extract<Incoming, { kind: 'request' }>;

/**
 * The revisions with a handshake over HTTP. A client that sends `initialize` gets a session; one that does not, such as
 * a curl line, is served all the same, by the instance of its caller.
 */
export const openLegacyHttp = (factory: ServerFactory, now: () => number): LegacyHttp => {
  const sessions = new Sessions(factory, now, true);
  const stateless = new Instances('legacy', factory, () => undefined);

  const dispatch = (
    context: RequestContext,
    channel: Channel,
    requests: readonly IncomingRequest[],
    batch: boolean,
    session?: Session,
  ): Promise<Reply> => {
    const openStream = (): MessageStream => {
      const stream = new MessageStream(session?.log);
      const version = session?.channel.protocolVersion;
      if (version !== undefined && version >= PRIMED_SINCE) stream.prime();
      return stream;
    };
    const answer = new PostAnswer({ era: 'legacy', requests: requests.length, batch, openStream });
    const closeSSEStream = (): void => answer.stream().dismiss();
    const extra = session === undefined ? undefined : { closeSSEStream };
    const cancels = requests.map(({ message }) => channel.request(message, answer, extra));
    const onGone = (): void => {
      // A stream of a session can be taken up again; nobody will ask for anything else.
      if (session !== undefined && answer.streams) return;
      for (const cancel of cancels) cancel('The client went away');
    };
    context.signal.addEventListener('abort', onGone, { once: true });
    return answer.reply;
  };

  const initialize = async (context: RequestContext, caller: Caller, request: IncomingRequest): Promise<Reply> => {
    const session = await sessions.open(caller);
    if (session === undefined) {
      return refuse(503, { code: CODE.refused, message: 'Too many sessions' }, request.message.id);
    }
    const answer = new PostAnswer({
      era: 'legacy',
      requests: 1,
      batch: false,
      headers: { 'Mcp-Session-Id': session.id },
    });
    let failed = false;
    session.channel.request(request.message, {
      emit: (message) => answer.emit(message),
      settle: (result, early) => {
        failed = 'error' in result;
        answer.settle(result, early);
      },
    });
    const reply = await answer.reply;
    if (failed || context.signal.aborted) await sessions.end(session);
    return reply;
  };

  const isServed = (context: RequestContext): boolean => {
    const version = headerOf(context, 'mcp-protocol-version');
    return version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(version.trim());
  };

  return {
    admits(context, caller) {
      const id = headerOf(context, 'mcp-session-id');
      return isServed(context) && (id === undefined || sessions.find(id, caller) !== undefined);
    },

    async post(context, caller, body) {
      const batch = Array.isArray(body);
      const values: readonly unknown[] = batch ? body : [body];
      const read = values.slice(0, MAX_BATCH).map((value) => incoming(value));
      const messages = read.filter((message) => message !== undefined);
      if (messages.length !== values.length || values.length === 0) {
        return invalid(
          values.length > MAX_BATCH
            ? `More than ${MAX_BATCH} messages in one batch`
            : 'The body is no JSON-RPC message',
          body,
        );
      }
      if (!isServed(context)) {
        const version = headerOf(context, 'mcp-protocol-version') ?? '';
        const supported = SUPPORTED_PROTOCOL_VERSIONS.join(', ');
        const message = `Bad Request: Unsupported protocol version: ${version.slice(0, 50)} (supported: ${supported})`;
        return refuse(400, { code: CODE.refused, message }, idIn(body));
      }
      const requests = messages.filter((message) => message.kind === 'request');
      const hello = requests.find(({ message }) => message.method === 'initialize');
      if (hello !== undefined) {
        return batch ? invalid('initialize cannot be part of a batch', body) : initialize(context, caller, hello);
      }
      const id = headerOf(context, 'mcp-session-id');
      const session = id === undefined ? undefined : sessions.find(id, caller);
      if (id !== undefined && session === undefined) return noSession(body);
      const { channel } = session ?? (await stateless.of(caller));
      for (const message of messages) {
        // Without a session nobody knows whose request a cancellation or an answer means.
        if (message.kind !== 'request' && session !== undefined) channel.deliver(message);
      }
      if (requests.length === 0) return { kind: 'empty', status: 202 };
      return dispatch(context, channel, requests, batch, session);
    },

    get(context, caller) {
      const id = headerOf(context, 'mcp-session-id');
      if (id === undefined) {
        const error = {
          code: CODE.refused,
          message: 'Method Not Allowed: a stream needs a session',
        };
        return {
          kind: 'json',
          status: 405,
          headers: { Allow: 'POST' },
          body: errorAnswer(null, error),
        };
      }
      const session = sessions.find(id, caller);
      if (session === undefined) return noSession();
      const last = headerOf(context, 'last-event-id');
      const resumed = last === undefined ? undefined : session.log.after(last);
      if (last !== undefined && resumed === undefined) {
        return refuse(400, {
          code: CODE.refused,
          message: 'Last-Event-ID is none of this session',
        });
      }
      const stream = resumed === undefined ? session.standalone : resumed.stream;
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        headers: { ...STREAM_HEADERS, 'Mcp-Session-Id': session.id },
        heartbeat: 'comment',
        run: async (writer) => {
          if (stream === undefined) for (const event of resumed?.missed ?? []) await writer.sse(event);
          else await stream.run(writer, resumed?.missed);
        },
      };
    },

    async remove(context, caller) {
      const id = headerOf(context, 'mcp-session-id');
      const session = id === undefined ? undefined : sessions.find(id, caller);
      if (session === undefined) return noSession();
      await sessions.end(session);
      return { kind: 'empty', status: 204 };
    },

    async close() {
      await sessions.close();
      await stateless.close();
    },
  };
};
