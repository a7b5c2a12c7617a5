/** What the tests of MCP over HTTP stand on; listed in no index. */
import type { SseEvent } from '@cloutagent/kit';
import { eventsOf, type Served } from '../harness.ts';

export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
};

export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

export const OPEN = { name: 'change.open', arguments: { title: 'T', slug: 'a-change', template: 'feature' } };

/** A session's id, after its handshake. */
export const shakeHands = async (served: Served, headers: Record<string, string> = {}): Promise<string> => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const response = await served.post('/mcp', { jsonrpc: '2.0', id: 0, method: 'initialize', params }, headers);
  const id = response.headers.get('mcp-session-id') ?? '';
  await response.text();
  await served.post(
    '/mcp',
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { ...headers, 'mcp-session-id': id },
  );
  return id;
};

/** The heads of a request of the stateless era. */
export const modernHeaders = (method: string, name?: string): Record<string, string> => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
});

/** A request of the stateless era, as its transport wants it. */
export const modernPost = (
  served: Served,
  method: string,
  params: Record<string, unknown> = {},
  more: { readonly id?: number; readonly headers?: Record<string, string>; readonly capabilities?: object } = {},
): Promise<Response> => {
  const named = params['name'] ?? params['uri'] ?? params['taskId'];
  const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': more.capabilities ?? {} };
  const body = { jsonrpc: '2.0', id: more.id ?? 1, method, params: { ...params, _meta } };
  return served.post('/mcp', body, {
    ...modernHeaders(method, typeof named === 'string' ? named : undefined),
    ...more.headers,
  });
};

/** The messages of an event stream. */
export async function* messagesOf(response: Response): AsyncGenerator<Message & { readonly eventId?: string }> {
  for await (const { data, id, event } of eventsOf(response) as AsyncIterable<SseEvent>) {
    if (event !== 'message' || data === '') continue;
    yield { ...(JSON.parse(data) as Message), ...(id === undefined ? {} : { eventId: id }) };
  }
}

/** The next event of a stream, which must not have ended. */
export const nextEvent = async (events: AsyncGenerator<SseEvent>): Promise<SseEvent> => {
  const next: IteratorResult<SseEvent, unknown> = await events.next();
  if (next.done === true) throw new Error('The stream ended');
  return next.value;
};

/** The next message that a condition holds for. */
export const nextOf = async (
  messages: AsyncGenerator<Message & { readonly eventId?: string }>,
  wanted: (message: Message) => boolean,
): Promise<Message & { readonly eventId?: string }> => {
  for (;;) {
    const next: IteratorResult<Message & { readonly eventId?: string }, unknown> = await messages.next();
    if (next.done === true) throw new Error('The stream ended');
    if (wanted(next.value)) return next.value;
  }
};
