import type { Reply, RequestContext } from '@cloutagent/http';
import { decodeSse, type SseEvent } from '@cloutagent/kit';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Caller } from '../run-tool.ts';
import { makeMcpServer, type McpDeps } from './server.ts';

/** The SDK refuses a legacy request that does not accept both, though one answer has one form. */
const ACCEPT = 'application/json, text/event-stream';

/** The request as the SDK reads it; only headers of the protocol matter to it, for front and route did the rest. */
const toWebRequest = ({ url, headers, signal }: RequestContext, body: object): Request => {
  const sent = new Headers({ accept: ACCEPT, 'content-type': 'application/json' });
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('mcp-') && typeof value === 'string') sent.set(name, value);
  }
  return new Request(url, { method: 'POST', headers: sent, body: JSON.stringify(body), signal });
};

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Node's streams can be iterated, which the DOM's type does not say.
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) yield decoder.decode(chunk, { stream: true });
}

const eventsOf = (body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> => decodeSse(textOf(body));

/** The answers of a stream without its notifications: one message, or an array for a batch. */
const collapse = async (body: ReadableStream<Uint8Array>, batch: boolean): Promise<unknown> => {
  const answers: unknown[] = [];
  for await (const { data } of eventsOf(body)) {
    const message: unknown = data === '' ? null : JSON.parse(data);
    if (message !== null && typeof message === 'object' && 'id' in message) answers.push(message);
  }
  return batch ? answers : answers[0];
};

const isSubscription = (body: object): boolean => 'method' in body && body.method === 'subscriptions/listen';

/**
 * Answers one JSON-RPC body (or batch) of MCP over Streamable HTTP, both eras, without a session. Tools here say
 * nothing before their result, so every answer is JSON; only a subscription streams.
 */
export const answerJsonRpc = async (
  deps: McpDeps,
  caller: Caller,
  context: RequestContext,
  body: object,
): Promise<Reply> => {
  const handler = createMcpHandler(() => makeMcpServer(deps, caller), {
    onerror: (error) => deps.log('debug', 'mcp over http', { requestId: context.requestId, error }),
  });
  const response = await handler.fetch(toWebRequest(context, body), { parsedBody: body });
  const { status, body: stream } = response;
  if (stream === null) return { kind: 'empty', status };
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
    return { kind: 'text', status, contentType: 'application/json', body: await response.text() };
  }
  if (!isSubscription(body)) return { kind: 'json', status, body: await collapse(stream, Array.isArray(body)) };
  return {
    kind: 'stream',
    status,
    contentType: 'text/event-stream',
    headers: { 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' },
    run: async (writer) => {
      for await (const event of eventsOf(stream)) await writer.sse(event);
      await handler.close();
    },
  };
};
