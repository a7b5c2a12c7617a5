import type { IncomingMessage, ServerResponse } from 'node:http';
import { BLOCK, DELTA, END, fail, sse, START, type Handler } from '../model/messages-server.fake.ts';
import { CloutError } from '@cloutagent/contract';
import type { ToolPort } from './tool-port.ts';
import { textResult } from './tool-port.fake.ts';
import type { ExecuteOptions } from './execute.ts';

/** How a row of docs/reference/faults.md is provoked. */
export interface Fault {
  /** Answers the nth request, from 0. */
  readonly answer: (nth: number) => Handler;
  readonly call?: ToolPort['call'];
  readonly options?: () => ExecuteOptions;
  readonly idleMs?: number;
  readonly timeoutMs?: number;
  /** Outages before the execution that counts. */
  readonly outagesBefore?: number;
  readonly nobodyListens?: boolean;
  readonly readerFails?: boolean;
  readonly limitNanoUsd?: number;
}

type Block = Readonly<Record<string, unknown>>;

const closing =
  (...events: Parameters<typeof sse>[1][]): Handler =>
  (_request, response) => {
    sse(response, ...events);
    response.end();
  };

const end = (reason: string) => [
  { type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];

/** A whole answer of these blocks. */
const reply = (reason: string, ...blocks: readonly Block[]): Handler =>
  closing(
    START,
    ...blocks.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: block },
      { type: 'content_block_stop', index },
    ]),
    ...end(reason),
  );

const text = (words: string): Block => ({ type: 'text', text: words });
const tool = (name: string, id = 'toolu_1', input: unknown = {}): Block => ({ type: 'tool_use', id, name, input });
const READ = tool('mcp__files__read');
const done = reply('end_turn', text('Done'));

const always = (handler: Handler): Fault => ({ answer: () => handler });
/** The fault first, then a whole answer. */
const once = (handler: Handler): Fault => ({ answer: (nth) => (nth === 0 ? handler : done) });
const drop: Handler = (request) => request.socket.destroy();
const dropLater: Handler = (_request, response) => {
  sse(response, START, BLOCK, DELTA);
  setTimeout(() => response.destroy(), 10);
};
const silent: Handler = () => undefined;
const stall: Handler = (_request, response) => sse(response, START, BLOCK, DELTA);
const dribble: Handler = (_request, response) => {
  sse(response, START, BLOCK);
  const timer = setInterval(() => sse(response, DELTA), 10);
  response.on('close', () => clearInterval(timer));
};
const inStream = (type: string): Handler => closing(START, { type: 'error', error: { type, message: 'No' } });
const respond =
  (status: number, contentType: string, body: string) => (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': contentType }).end(body);
  };

const withTool = (call: NonNullable<Fault['call']>, ...blocks: readonly Block[]): Fault => ({
  ...once(reply('tool_use', ...(blocks.length > 0 ? blocks : [READ]))),
  call,
});

export const FAULTS: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 504, 529].map((status) => [
      String(status),
      always(fail(status)),
    ]),
  ),
  '429 with retry-after of 20 ms, then an answer': once(fail(429, { 'retry-after-ms': '20' })),
  '429 with retry-after of an hour': always(fail(429, { 'retry-after': '3600' })),
  "429 at the account's own limit": always(
    fail(429, {}, 'rate_limit_error', { details: { error_code: 'enforced_spend_limit_reached' } }),
  ),
  '500 with x-should-retry: false': always(fail(500, { 'x-should-retry': 'false' })),
  '502 with HTML': always(respond(502, 'text/html', '<h1>Bad gateway</h1>')),
  '529, then an answer': once(fail(529)),
  'nobody listens': { answer: () => silent, nobodyListens: true },
  'the connection drops before the headers': always(drop),
  'the connection drops in the answer': always(dropLater),
  'the answer ends without message_stop': always(closing(START, BLOCK, DELTA, ...END.slice(0, 2))),
  'the answer breaks once, then comes whole': once(dropLater),
  'an event is not JSON': always((_request, response) => {
    sse(response, START);
    response.end('event: content_block_start\ndata: {"type\n\n');
  }),
  'a 200 that is no stream': always(respond(200, 'application/json', '{"a"')),
  'an answer without usage': always(
    closing(
      { ...START, message: { content: [] } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
      { type: 'message_stop' },
    ),
  ),
  'overloaded_error in the answer': always(inStream('overloaded_error')),
  'rate_limit_error in the answer': always(inStream('rate_limit_error')),
  'invalid_request_error in the answer': always(inStream('invalid_request_error')),
  'silence before the headers': { ...always(silent), idleMs: 200 },
  'silence in the answer': { ...always(stall), idleMs: 200 },
  'an answer longer than DEFAULT_TIMEOUT_MS': { ...always(dribble), timeoutMs: 500 },
  'a sixth call after five outages': { ...always(fail(529)), outagesBefore: 5 },
  refusal: always(reply('refusal')),
  'text cut at max_tokens': always(reply('max_tokens', text('And then'))),
  'a tool call cut at max_tokens': always(reply('max_tokens', READ)),
  'the context window is full': always(reply('model_context_window_exceeded', text('And'))),
  'a reason that nobody knows': always(reply('brand_new', text('And'))),
  'pause_turn, then an answer': once(reply('pause_turn', text('Wait'))),
  'pause_turn without end': always(reply('pause_turn', text('Wait'))),
  'tools without end': {
    answer: (nth) => reply('tool_use', text('More'), tool('mcp__files__read', `toolu_${nth}`)),
    call: async () => textResult('Ok'),
  },
  'a tool reports an error': withTool(async () => textResult('ENOENT', true)),
  'a tool throws': withTool(() => Promise.reject(new Error('secret'))),
  "the tool's server is lost": withTool(() => Promise.reject(new CloutError('MCP_CONNECTION_FAILED', 'gone'))),
  'one of three tools fails': withTool(
    async (_tool, input) => textResult('x', (input as { fail?: boolean }).fail === true),
    tool('mcp__files__read', 't1'),
    tool('mcp__files__read', 't2', { fail: true }),
    tool('mcp__files__read', 't3'),
  ),
  'a tool that does not exist': withTool(async () => textResult('x'), tool('mcp__files__nothing')),
  'arguments that are not JSON': once(
    closing(
      START,
      { type: 'content_block_start', index: 0, content_block: { ...READ, input: {} } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"path": "/a' } },
      { type: 'content_block_stop', index: 0 },
      ...end('tool_use'),
    ),
  ),
  'a tool hangs until the time is up': {
    ...withTool(
      (_tool, _input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
    ),
    options: () => ({ timeout: 200 }),
  },
  'cancelled before it begins': { ...always(done), options: () => ({ signal: AbortSignal.abort() }) },
  'cancelled in the answer': { ...always(stall), options: () => ({ signal: AbortSignal.timeout(150) }) },
  'the time is up in the answer': { ...always(stall), options: () => ({ timeout: 150 }) },
  'the reader of the stream fails': { ...always(stall), readerFails: true },
  'the budget is used up': { ...always(done), limitNanoUsd: 1000 },
};
