import type { Reply, RequestContext } from '@cloutagent/http';
import type { Caller } from '../run-tool.ts';
import type { ServerFactory } from './factory.ts';
import { STREAM_HEADERS } from './post-answer.ts';
import { Sessions } from './session.ts';
import { CODE, errorAnswer, idIn, incoming } from './wire.ts';

/** The transport of revision 2024-11-05, deprecated and still in use: one stream down, POSTs up. */
export interface SseTransport {
  /** `GET /sse`: opens a session and its stream, whose first event says where to post. */
  open(context: RequestContext, caller: Caller): Promise<Reply>;
  /** `POST /messages?sessionId=…`: a message; its answer comes on the stream. */
  post(context: RequestContext, caller: Caller, body: unknown): Reply;
  close(): Promise<void>;
}

/** @param messagesPath where clients post to */
export const openSseTransport = (factory: ServerFactory, now: () => number, messagesPath: string): SseTransport => {
  const sessions = new Sessions(factory, now, false);
  return {
    async open(context, caller) {
      // A session without its stream would be of no use, and HEAD gets none.
      if (context.method === 'HEAD') return { kind: 'empty', status: 200, headers: STREAM_HEADERS };
      const session = await sessions.open(caller);
      if (session === undefined) {
        const error = { code: CODE.refused, message: 'Too many sessions' };
        return { kind: 'json', status: 503, body: errorAnswer(null, error) };
      }
      session.standalone.announce('endpoint', `${messagesPath}?sessionId=${session.id}`);
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        headers: STREAM_HEADERS,
        heartbeat: 'comment',
        run: async (writer) => {
          try {
            await session.standalone.run(writer);
          } finally {
            // The stream is the session here: without it nothing can be answered.
            await sessions.end(session);
          }
        },
      };
    },

    post({ url }, caller, body) {
      const session = sessions.find(url.searchParams.get('sessionId') ?? '', caller);
      if (session === undefined) {
        const error = { code: CODE.noSession, message: 'Session not found' };
        return { kind: 'json', status: 404, body: errorAnswer(idIn(body), error) };
      }
      const message = incoming(body);
      if (message === undefined) {
        const error = { code: CODE.invalidRequest, message: 'The body is no JSON-RPC message' };
        return { kind: 'json', status: 400, body: errorAnswer(idIn(body), error) };
      }
      const { channel, standalone } = session;
      if (message.kind === 'request') {
        channel.request(message.message, {
          emit: (sent) => standalone.push(sent),
          settle: (answer) => standalone.push(answer),
        });
      } else channel.deliver(message);
      return { kind: 'text', status: 202, contentType: 'text/plain', body: 'Accepted' };
    },

    close: () => sessions.close(),
  };
};
