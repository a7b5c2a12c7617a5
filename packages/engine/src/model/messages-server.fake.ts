import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@cloutagent/kit';
import { createAnthropicModel } from './anthropic.ts';
import { ModelCallError, type ModelEvent, type ModelRequest } from './port.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface MessagesServer extends Disposable {
  readonly url: string;
  /** How many requests came, and the last of them. */
  readonly seen: { readonly count: number; readonly headers: IncomingMessage['headers']; readonly body: string };
}

/** A real server on a free port that answers as the handler says. */
export const serve = async (handler: Handler): Promise<MessagesServer> => {
  const seen = { count: 0, headers: {}, body: '' };
  const server = createServer((request, response) => {
    seen.count += 1;
    seen.headers = request.headers;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      seen.body = body;
      handler(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const request: ModelRequest = {
  model: 'claude-sonnet-5-5',
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'Hi' }],
  tools: [{ name: 'look', description: 'Looks', input_schema: { type: 'object' } }],
  maxTokens: 1024,
};

export const KEY = 'sk-ant-very-secret-key';

export const ask = async (
  url: string,
  options: {
    signal?: AbortSignal;
    idleMs?: number;
    apiKey?: string | undefined;
    onEvent?: (event: ModelEvent) => Promise<void>;
  } = {},
): Promise<ModelEvent[]> => {
  const { signal = new AbortController().signal, onEvent, idleMs, ...rest } = options;
  const apiKey = 'apiKey' in rest ? rest.apiKey : KEY;
  const port = createAnthropicModel({
    baseUrl: url,
    apiKey,
    clock: systemClock,
    ...(idleMs === undefined ? {} : { idleMs }),
  });
  const events: ModelEvent[] = [];
  for await (const event of port.stream(request, { signal, idempotencyKey: 'run_1:turn[0]#1' })) {
    events.push(event);
    await onEvent?.(event);
  }
  return events;
};

/** The error that a call must fail with. */
export const failure = async (call: Promise<unknown>): Promise<ModelCallError> => {
  const error: unknown = await call.then(
    () => new Error('the call did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ModelCallError) return error;
  throw error;
};

export const sse = (
  response: ServerResponse,
  ...events: { readonly type: string; readonly [field: string]: unknown }[]
): void => {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_9' });
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
};

export const START = { type: 'message_start', message: { content: [], usage: { input_tokens: 10, output_tokens: 1 } } };
export const BLOCK = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
export const DELTA = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } };
export const END = [
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
/** Refuses a request as the API does, with the key in its message as a careless server might. */
export const fail =
  (status: number, headers: Record<string, string> = {}, type = 'some_error', details: object = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ type: 'error', error: { type, message: `Because of ${KEY}`, ...details } }));
  };
