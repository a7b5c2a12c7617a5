import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFront } from '@cloutagent/http';
import { systemClock } from '@cloutagent/kit';
import { openProject } from '@cloutagent/openspec';
import { createTaskMcp } from '@cloutagent/task-mcp';
import fc from 'fast-check';

/** What is asked of the server: anything that fits on the wire, near to what it understands. */
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('/sse', '/mcp', '/messages?sessionId=x', '/messages') },
  { weight: 1, arbitrary: fc.constantFrom('/', '/healthz', '/readyz', '/health', '/security/metrics', '/metrics') },
  { weight: 1, arbitrary: fc.webPath().map((text) => (text.startsWith('/') ? text : `/${text}`)) },
);
const odd = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    0,
    1.5,
    1e308,
    '',
    '..',
    '%2e%2e',
    'constructor',
    '__proto__',
    'a-change',
    '🦊',
    [],
    {},
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 3 }),
);
const fields = (...names: readonly string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] });
const input = fields(
  'title',
  'slug',
  'template',
  'ttl',
  'owner',
  'rationale',
  'limit',
  'offset',
  'status',
  'pageToken',
);
const tool = fc.constantFrom('change.open', 'change_open', 'change.archive', 'changes.active', 'nothing', 'a b', '');
const uri = fc.oneof(
  fc.constantFrom(
    'changes://active',
    'change://a-change/tasks',
    '@task:change://a-change/delta/spec',
    'change://',
    'x:',
  ),
  fc.string().map((text) => `change://${text}/proposal`),
  fc.string().map((text) => `changes://active?${text}`),
);
const seed = fc.oneof(
  fc.record({ tool, input: fc.oneof(input, odd), apiVersion: fc.constantFrom(undefined, '1.0.0', '2', 'x') }),
  fc.record({ uri, method: fc.constant('resource/read') }),
  fc.record({ tool: odd, input: odd }),
);
const method = fc.constantFrom(
  'initialize',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/read',
  'resources/templates/list',
  'completion/complete',
  'ping',
  'server/discover',
  'tasks/get',
  'logging/setLevel',
  'no/such',
);
const params = fc.oneof(
  fc.record({ name: tool, arguments: input }),
  fc.record({ uri }),
  fields('protocolVersion', 'capabilities', 'clientInfo', 'cursor', 'ref', 'argument', 'taskId', '_meta'),
  odd,
);
const rpc = fc.record(
  { jsonrpc: fc.constantFrom('2.0', '1.0', 2), id: odd, method: fc.oneof(method, odd), params },
  { requiredKeys: ['jsonrpc'] },
);
const body = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .oneof(seed, rpc, fc.array(fc.oneof(seed, rpc), { maxLength: 3 }))
      .map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.json(), fc.constantFrom('[', '['.repeat(100), '{"__proto__":{}}')) },
);
const headers = fc.record(
  {
    'content-type': fc.constantFrom('application/json', 'text/plain', 'application/json; charset=latin1'),
    accept: fc.constantFrom('*/*', 'text/event-stream', 'application/x-ndjson', 'application/json'),
    'api-version': fc.constantFrom('1.0.0', '9', 'x'),
    'mcp-protocol-version': fc.constantFrom('2026-07-28', '2025-11-25', '1999-01-01'),
    'mcp-method': fc.constantFrom('tools/call', 'tools/list', 'x'),
    'mcp-name': fc.constantFrom('change.open', '=?base64?eA==?=', '%'),
    'mcp-session-id': fc.constantFrom('x', '00000000-0000-4000-8000-000000000000'),
    'last-event-id': fc.constantFrom('1-1', 'x'),
    'x-debug': fc.constant('true'),
    origin: fc.constantFrom('null', 'http://evil.example'),
    authorization: fc.constantFrom('Bearer x', 'Basic eA==', 'Bearer'),
  },
  { requiredKeys: [] },
);
const asked = fc.record({
  path,
  method: fc.oneof(
    { weight: 9, arbitrary: fc.constant('POST') },
    { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS') },
  ),
  headers,
  body,
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Streams that live on are left after their first bytes. */
const LIVES_ON = 'text/event-stream';

const send = async (
  agent: Agent,
  port: number,
  { path: where, method: verb, headers: more, body: text }: Asked,
): Promise<Answered> => {
  const payload = Buffer.from(verb === 'GET' || verb === 'HEAD' ? '' : text);
  const all = { ...more, ...(payload.length === 0 ? {} : { 'content-length': payload.length }) };
  const sent = request({ agent, port, host: '127.0.0.1', path: where, method: verb, headers: all });
  sent.end(payload);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const answered = { status: response.statusCode ?? 0, headers: response.headers };
  if (verb === 'GET' && answered.status === 200 && response.headers['content-type'] === LIVES_ON) {
    response.destroy();
    return { ...answered, text: '' };
  }
  let told = '';
  for await (const chunk of response) told += String(chunk);
  return { ...answered, text: told };
};

/** What an answer may never be: a failure of ours, an error without its id, or a look inside. */
const complaint = ({ status, headers: got, text }: Answered, root: string): string | undefined => {
  if (status >= 500) return 'a failure of ours';
  if (got['x-content-type-options'] !== 'nosniff') return 'no security headers';
  if (/\bat \w+ \(|node:internal|\.ts:\d|node_modules/u.test(text)) return 'a look inside';
  // Callers of this machine see absolute paths in listings, and nowhere else.
  if (status >= 400 && text.includes(root)) return 'a path';
  const isOurs = text.includes('"apiVersion"') || text.includes('"type":"error"');
  if (status >= 400 && isOurs && !text.includes(`"requestId":"${String(got['x-request-id'])}"`)) return 'no request id';
  return undefined;
};

/** Asks Task MCP so many things, eight at a time. Returns the first complaints, each with what was asked. */
export const fuzzTaskMcp = async (runs: number, seedOfRun?: number): Promise<readonly unknown[]> => {
  const root = await mkdtemp(join(tmpdir(), 'fuzz-'));
  const project = await openProject(root, { clock: systemClock, caller: 'tester' });
  const log = (): void => undefined;
  const { routes } = createTaskMcp({ project, clock: systemClock, log, version: '9.9.9' });
  const front = createFront({
    routes,
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    clock: systemClock,
    log,
  });
  const { port } = await front.listen({ port: 0, host: '127.0.0.1' });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const bad: unknown[] = [];
  const lots = 1000;
  for (let done = 0; done < runs; done += lots) {
    const questions = fc.sample(asked, {
      numRuns: Math.min(lots, runs - done),
      ...(seedOfRun === undefined ? {} : { seed: seedOfRun + done }),
    });
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let index = worker; index < questions.length && bad.length < 5; index += 8) {
          const question = questions[index];
          if (question === undefined) continue;
          const answer = await send(agent, port, question);
          const said = complaint(answer, root);
          if (said !== undefined) bad.push({ said, question, answer });
        }
      }),
    );
  }
  agent.destroy();
  front.server.closeAllConnections();
  await front.drain(0);
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
  return bad;
};
