import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure } from './support/figure.mjs';
import { load } from './support/load.mjs';

// What a call to the simulator costs beside a bare node:http server: it may not be what limits a load test of others.

const SERVER = fileURLToPath(new URL('./support/simulator-server.mjs', import.meta.url));
const DELTAS = 40;
const TEXT = Array.from({ length: DELTAS }, (_, index) => `three words n${index}`).join(' ');
const HEADERS = {
  'content-type': 'application/json',
  'x-api-key': 'k',
  'anthropic-version': '2026-10-21',
};
const tools = Array.from({ length: 3 }, (_, index) => ({
  name: `tool_${index}`,
  description: 'A tool of a server',
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}));

export const area = 'simulator';
export const peers = {};

const ask = (stream) => (index) => ({
  path: '/v1/messages',
  headers: HEADERS,
  body: JSON.stringify({
    model: 'claude-sonnet-5-5',
    max_tokens: 1000,
    stream,
    tools,
    system: 'You are an agent of the bench.',
    messages: [{ role: 'user', content: `question ${index}` }],
  }),
});

const start = async (kind, options) => {
  const child = fork(SERVER, [kind, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [{ port }] = await once(child, 'message');
  const usage = async () => {
    const told = once(child, 'message');
    child.send('usage');
    return (await told)[0];
  };
  const stop = async () => {
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  };
  return { port, usage, stop };
};

/** Microseconds of the server's CPU for one request, and what the load saw of it. */
const measure = async (server, makeRequest, { warm, count, connections }) => {
  await load(server.port, makeRequest, { count: warm, connections });
  const before = await server.usage();
  const seen = await load(server.port, makeRequest, { count, connections });
  const after = await server.usage();
  return { cpu: (after.cpu - before.cpu) / count, ...seen };
};

const beside = (name, own, raw, limit) => {
  const ratio = own.cpu / raw.cpu;
  return figure(name, own.cpu, 'µs CPU', {
    others: { raw: raw.cpu },
    ratio,
    ...(limit === undefined ? {} : { goal: `≤ ${limit}× raw`, ok: ratio <= limit }),
  });
};

export async function* run() {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-bench-'));
  const scenario = {
    format: 1,
    name: 'bench',
    delays: { firstTokenMs: 0, perTokenMs: 0 },
    rules: [{ when: {}, answer: { text: TEXT } }],
  };
  const raw = await start('raw', { text: TEXT, deltas: DELTAS });
  const own = await start('simulator', { simulator: { scenario } });
  const logged = await start('simulator', { simulator: { scenario, logFile: join(folder, 'requests.jsonl') } });
  const paced = await start('simulator', { simulator: { scenario, firstTokenMs: 800, perTokenMs: 25 } });
  try {
    const calls = { warm: 2000, count: 4000, connections: 32 };
    const bare = await measure(raw, ask(false), calls);
    yield beside('a call', await measure(own, ask(false), calls), bare, 8);
    yield beside('a call, request log synced', await measure(logged, ask(false), calls), bare);
    const streams = { warm: 500, count: 1500, connections: 32 };
    const bareStream = await measure(raw, ask(true), streams);
    const stream = await measure(own, ask(true), streams);
    yield beside(`a stream of ${DELTAS} deltas`, stream, bareStream, 8);
    yield figure('each delta of it', stream.cpu / DELTAS, 'µs CPU');
    const slow = await measure(paced, ask(true), { warm: 1, count: 100, connections: 100 });
    const wanted = 800 + Math.ceil(TEXT.length / 4) * 25;
    const core = (slow.cpu * 100) / 1000 / slow.ms;
    const others = { 'µs a delta': slow.cpu / DELTAS };
    yield figure('100 streams at 40 tokens/s', core, 'cores', { others, goal: '≤ 0.25 cores', ok: core <= 0.25 });
    const late = slow.average / wanted;
    yield figure('their length beside the wanted one', late, '×', { goal: '≤ 1.1', ok: late <= 1.1 });
  } finally {
    for (const server of [raw, own, logged, paced]) await server.stop();
    rmSync(folder, { recursive: true });
  }
}
