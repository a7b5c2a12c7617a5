// A Messages API without delay: the first call of a conversation asks for a tool, the second answers in 40 deltas.
import { createServer } from 'node:http';

const DELTAS = 40;
const usage = { input_tokens: 200, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const event = (type, data) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

const streamOf = (model, answers) => {
  const start = event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  });
  const end = (reason, tokens) =>
    event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: tokens } }) +
    event('message_stop', {});
  if (!answers) {
    return (
      start +
      event('content_block_start', {
        index: 0,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'add', input: {} },
      }) +
      event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":1,"b":2}' } }) +
      event('content_block_stop', { index: 0 }) +
      end('tool_use', 30)
    );
  }
  let text = start + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (let i = 0; i < DELTAS; i += 1)
    text += event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'word ' } });
  return text + event('content_block_stop', { index: 0 }) + end('end_turn', DELTAS);
};

const messageOf = (model, answers) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model,
  content: answers
    ? [{ type: 'text', text: 'word '.repeat(DELTAS) }]
    : [{ type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1, b: 2 } }],
  stop_reason: answers ? 'end_turn' : 'tool_use',
  stop_sequence: null,
  usage: { ...usage, output_tokens: answers ? DELTAS : 30 },
});

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { model, stream, messages } = JSON.parse(body);
    const answers = JSON.stringify(messages).includes('"tool_result"');
    if (stream === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' });
      response.end(streamOf(model, answers));
    } else {
      response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' });
      response.end(JSON.stringify(messageOf(model, answers)));
    }
  });
});
// On a busy machine a socket may rest for longer than the default; a peer must not lose a race to that.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume().on('end', () => process.exit(0));
