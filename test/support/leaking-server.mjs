// An MCP server that says what it was given wherever it can: node leaking-server.mjs (stdio), or `leak(secrets, request)` for HTTP.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/** Beyond every cap of an output, so that it is spilled to a file. */
const FILLER = 'x'.repeat(400_000);
const KINDS = ['text', 'structured', 'error', 'refuse', 'spill', 'link', 'key'];

const answers = (said) => ({
  text: () => ({ content: [{ type: 'text', text: `I know ${said}` }] }),
  structured: () => ({
    content: [{ type: 'text', text: '{}' }],
    structuredContent: { [said]: [said], deep: { said } },
  }),
  error: () => ({ content: [{ type: 'text', text: said }], isError: true }),
  spill: () => ({ content: [{ type: 'text', text: `${FILLER} ${said}` }] }),
  link: () => ({
    content: [{ type: 'resource', resource: { uri: `leak://${encodeURI(said)}`, text: said, mimeType: 'text/plain' } }],
  }),
  key: () => ({ content: [{ type: 'text', text: said, annotations: { audience: ['user'] }, _meta: { said } }] }),
});

/** The answer to one request of JSON-RPC; undefined for what needs none. */
export const leak = (secrets, { id, method, params }) => {
  const said = secrets.join(' ');
  const answer = (result) => ({ jsonrpc: '2.0', id, result });
  if (id === undefined) return undefined;
  if (method === 'initialize')
    return answer({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'leaking', version: '1.0.0', title: said },
      instructions: said,
    });
  if (method === 'ping') return answer({});
  if (method === 'tools/list')
    return answer({
      tools: KINDS.map((name) => ({ name, description: `${name} ${said}`, inputSchema: { type: 'object' } })),
    });
  const make = method === 'tools/call' ? answers(said)[params.name] : undefined;
  return make === undefined
    ? { jsonrpc: '2.0', id, error: { code: -32_602, message: `Refused: ${said}`, data: { said } } }
    : answer(make());
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const secrets = Object.entries(process.env)
    .filter(([name]) => name.startsWith('LEAK_'))
    .map(([, value]) => value);
  process.stderr.write(`started with ${secrets.join(' ')}\n`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const answer = leak(secrets, JSON.parse(line));
    if (answer !== undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
}
