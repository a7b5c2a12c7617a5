// An MCP server whose tools have effects: node effects-server.mjs FOLDER. Each effect is a line of FOLDER/effects.jsonl with the
// key of its call. A file FOLDER/fault makes the next call go wrong: error, slow, hang, exit-before, exit-after (the effect).
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [, , folder] = process.argv;
const ANNOTATIONS = { look: { readOnlyHint: true }, put: { idempotentHint: true }, send: {} };
/** From the effect to the answer: a call is cut off most often here. */
const USUAL_MS = 100;
const SLOW_MS = 500;

const takeFault = () => {
  const file = path.join(folder, 'fault');
  try {
    const fault = readFileSync(file, 'utf8');
    rmSync(file);
    return fault;
  } catch {
    return '';
  }
};

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const say = (id, text, isError = false) => send({ id, result: { content: [{ type: 'text', text }], isError } });

const call = (id, { name, _meta: meta }) => {
  const fault = takeFault();
  if (fault === 'exit-before') process.exit(1);
  if (fault === 'error') return say(id, 'It went wrong.', true);
  const key = meta['cloutagent/idempotencyKey'];
  appendFileSync(path.join(folder, 'effects.jsonl'), `${JSON.stringify({ tool: name, key })}\n`);
  if (fault === 'exit-after') process.exit(1);
  if (fault === 'hang') return undefined;
  return setTimeout(() => say(id, `${name} is done`), fault === 'slow' ? SLOW_MS : USUAL_MS);
};

const RESULTS = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'effects', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({
    tools: Object.entries(ANNOTATIONS).map(([name, annotations]) => ({
      name,
      description: `${name}s`,
      inputSchema: { type: 'object' },
      annotations,
    })),
  }),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    if (method === 'tools/call') call(id, params);
    else if (RESULTS[method] !== undefined) send({ id, result: RESULTS[method]() });
    else send({ id, error: { code: -32_601, message: `There is no ${method}` } });
  })
  .on('close', () => process.exit(0));
