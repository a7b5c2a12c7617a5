// A Messages API that answers at once and always the same, in a process of its own.
import { createServer } from 'node:http';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';

const frame = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 50, output_tokens: 1, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  },
};
const end = (reason) => [
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { input_tokens: 50, output_tokens: 40 },
  },
  { type: 'message_stop' },
];
const textOf = (parts) =>
  [
    start,
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...parts.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    ...end('end_turn'),
  ].map(frame);

const SHORT = textOf(['It is ', '42.']).join('');
const LONG = textOf(Array.from({ length: 40 }, (_, index) => `word${index} `));
const USE = [
  start,
  {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'mcp__calc__add', input: {} },
  },
  { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":40,"b":2}' } },
  ...end('tool_use'),
]
  .map(frame)
  .join('');

/** A delta a write, as they come from a model. */
const tell = async (response) => {
  for (const part of LONG) {
    response.write(part);
    await setImmediateAsync();
  }
  response.end();
};

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' });
    if (body.includes('Tell a story')) void tell(response);
    else if (body.includes('Use the tool') && !body.includes('tool_result')) response.end(USE);
    else response.end(SHORT);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
