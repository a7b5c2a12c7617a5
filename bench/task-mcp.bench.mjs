import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { load } from './support/load.mjs';
import { median } from './support/process.mjs';
import { ASK, HEADERS, makeProject } from './support/task-mcp-load.mjs';
import { compare, CONNECTIONS, startServer, warmUp } from './support/task-mcp-process.mjs';

// What a request to the Task MCP server costs beside a bare node:http server and the handlers of others. The product
// runs as `task-mcp --http` does, on a project of 1,000 changes on disk, with every limit on.
//
// `change.open` makes some fifteen files and folders and puts them on the disk (fsync) before it answers; a server that
// only parses and stringifies does not. So it is measured twice: its protocol alone, over changes in memory, against
// the bare server, and whole, against a bare server that does the same file work by the same library. What the files
// alone cost beside the bare server is among the figures of the second.

const BIN = fileURLToPath(new URL('../packages/task-mcp/bin/task-mcp.mjs', import.meta.url));

export const area = 'task-mcp';
export const peers = {
  '@modelcontextprotocol/node': '2.1.2',
  '@modelcontextprotocol/server': '2.4.0',
  fastmcp: '4.20.16',
};

/** Largest cost of a request in those of the bare server, by protocol. */
const GOAL = { seed: 2, legacy: 3, modern: 3 };
/** Seed 002's own figures. */
const SEED = { streamMBs: 56.4, concurrentMs: 121.9 };

const figure = (name, value, unit, { others = {}, ratio = null, goal = null, ok = null } = {}) => ({
  name,
  value,
  unit,
  peers: others,
  ratio,
  goal,
  ok,
});

const post = async ({ port }, { path, headers, body }) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
  return (await response.text()).trim().split('\n').map(JSON.parse);
};

/** What the product answers on this project, so that the others make the same into text. */
const answersOf = async (server) => {
  const resultOf = (lines) => lines.find(({ type }) => type === 'result').result;
  const [contents] = await post(server, ASK['resource read'].seed());
  return {
    'changes.active': resultOf(await post(server, ASK['changes.active'].seed())),
    'change.open': resultOf(await post(server, ASK['change.open'].seed())),
    'resource/read': contents,
  };
};

/** Cost of each protocol beside the bare server. */
async function* costs(what, { raw, server, where, size }) {
  const asks = ASK[what];
  const best = await compare(
    {
      raw: { server: raw, ask: asks.seed },
      ...Object.fromEntries(Object.entries(asks).map(([protocol, ask]) => [protocol, { server, ask }])),
    },
    size,
  );
  for (const [protocol, limit] of Object.entries(GOAL)) {
    const ratio = best[protocol].cpu / best.raw.cpu;
    yield figure(`${what}, ${protocol}, ${where}`, best[protocol].cpu, 'µs CPU', {
      others: { raw: best.raw.cpu, 'requests/s': best[protocol].rate },
      ratio,
      goal: `≤ ${limit}× raw`,
      ok: ratio <= limit,
    });
  }
}

/** `change.open` with its files, beside a bare server that writes the same. */
async function* durableOpen({ raw, files, server }) {
  const asks = ASK['change.open'];
  const best = await compare(
    {
      raw: { server: raw, ask: asks.seed },
      files: { server: files, ask: asks.seed },
      ...Object.fromEntries(Object.entries(asks).map(([protocol, ask]) => [protocol, { server, ask }])),
    },
    // One change is opened after the other, under a lock that nobody waits for long.
    { warm: 100, count: 100, connections: 4 },
  );
  for (const [protocol, limit] of Object.entries(GOAL)) {
    const ratio = best[protocol].cpu / best.files.cpu;
    yield figure(`change.open, ${protocol}, disk`, best[protocol].cpu, 'µs CPU', {
      others: { 'raw and the files': best.files.cpu, raw: best.raw.cpu, 'requests/s': best[protocol].rate },
      ratio,
      goal: `≤ ${limit}× raw and files`,
      ok: ratio <= limit,
    });
  }
}

/**
 * Requests a second that a processor of the server makes, beside the SDK's handler and fastmcp, which answer the same
 * page from memory. By the clock the one that asks would be measured too, and whoever else runs on the machine.
 */
async function* beside({ server, options }) {
  const sdk = await startServer('sdk', options);
  const fastmcp = await startServer('fastmcp', options);
  try {
    const asks = ASK['changes.active'];
    for (const era of ['modern', 'legacy']) {
      const others = era === 'modern' ? { sdk } : { sdk, fastmcp };
      const contenders = Object.entries({ own: server, ...others }).map(([name, started]) => [
        name,
        { server: started, ask: asks[era] },
      ]);
      const best = await compare(Object.fromEntries(contenders), { warm: 800, count: 800, rounds: 3 });
      const { own, ...rates } = Object.fromEntries(Object.entries(best).map(([name, { cpu }]) => [name, 1e6 / cpu]));
      const ratio = own / Math.max(...Object.values(rates));
      const byClock = Object.entries(best).map(([name, { rate }]) => [`${name} by the clock`, rate]);
      yield figure(`changes.active, ${era}, disk`, own, 'requests/CPU-s', {
        others: { ...rates, ...Object.fromEntries(byClock) },
        ratio,
        goal: '≥ 4× the best',
        ok: ratio >= 4,
      });
    }
  } finally {
    await sdk.stop();
    await fastmcp.stop();
  }
}

async function* streams(options) {
  const text = '- [ ] 1.1 First task\n'.repeat((900 * 1024) / 21);
  const answers = { ...options.answers, 'resource/read': { contents: [{ uri: 'change://x/tasks', text }] } };
  const own = await startServer('oursInMemory', { ...options, answers, text });
  const raw = await startServer('raw', { ...options, answers });
  try {
    const ask = ASK['resource read'].seed;
    const best = { own: 0, raw: 0 };
    for (let round = 0; round < 4; round += 1) {
      for (const [name, { port }] of Object.entries({ own, raw })) {
        const { bytes, ms } = await load(port, ask, { count: 100, connections: 4 });
        best[name] = Math.max(best[name], bytes / ms / 1000);
      }
    }
    yield figure('900 KB resources', best.own, 'MB/s', {
      others: { raw: best.raw, 'seed 002': SEED.streamMBs },
      ratio: best.own / best.raw,
      goal: '≥ 0.5× raw',
      ok: best.own >= best.raw / 2,
    });
  } finally {
    await own.stop();
    await raw.stop();
  }
}

async function* latency(server) {
  const ask = ASK['resource read'].seed;
  await warmUp(server, ask, 500);
  const { average } = await load(server.port, ask, { count: 1000, connections: 10 });
  yield figure('10 concurrent requests', average, 'ms each', {
    others: { 'seed 002': SEED.concurrentMs },
    goal: '≤ 12 ms',
    ok: average <= 12,
  });
}

/** Milliseconds until a request on stdio is answered. */
const answerOnStdio = async (cwd) => {
  const began = performance.now();
  const child = spawn(process.execPath, [BIN], { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
  await once(child.stdout, 'data');
  const ms = performance.now() - began;
  child.kill('SIGKILL');
  return ms;
};

const bareNode = async () => {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'close');
  return performance.now() - began;
};

async function* coldStart(project) {
  const own = [];
  const bare = [];
  for (let round = 0; round < 15; round += 1) {
    own.push(await answerOnStdio(project));
    bare.push(await bareNode());
  }
  const limit = 2 * median(bare) + 100;
  const ms = median(own);
  yield figure('stdio until tools/list', ms, 'ms', {
    others: { 'node -e 0': median(bare) },
    ratio: ms / median(bare),
    goal: `≤ ${limit.toFixed(0)} ms`,
    ok: ms <= limit,
  });
}

/** Of three windows the one that grew least: what is lost with every request is lost in all of them. */
async function* memory(server) {
  const ask = ASK['resource read'].modern;
  const window = 50_000;
  await load(server.port, ask, { count: window, connections: CONNECTIONS });
  let before = await server.memory();
  let slope = Infinity;
  for (let round = 0; round < 3; round += 1) {
    await load(server.port, ask, { count: window, connections: CONNECTIONS });
    const after = await server.memory();
    slope = Math.min(slope, (((after.rss - before.rss) / window) * 100_000) / 1024 / 1024);
    before = after;
  }
  yield figure('memory for 100,000 requests', slope, 'MB', { goal: '< 1 MB', ok: slope < 1 });
}

const IDLE = 10_000;
const SESSIONS = 500;

/** Listeners of one front; sessions of MCP, of which fewer are kept, have a server each beside their stream. */
async function* idle(options) {
  const server = await startServer('oursInMemory', options);
  const sockets = [];
  const open = (path) =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: ${HEADERS.authorization}\r\n\r\n`,
        ),
      );
      // The first bytes are the head; what follows is read and dropped.
      socket
        .once('data', resolve)
        .on('data', () => undefined)
        .on('error', reject);
      sockets.push(socket);
    });
  const openMany = async (path, count) => {
    for (let done = 0; done < count; done += 100) await Promise.all(Array.from({ length: 100 }, () => open(path)));
  };
  try {
    await openMany('/events', 100);
    const before = await server.memory();
    await openMany('/events', IDLE);
    const after = await server.memory();
    const each = (after.rss - before.rss) / IDLE / 1024;
    yield figure('idle event stream, of 10,000', each, 'KB', { goal: '≤ 16 KB', ok: each <= 16 });
    const sweeps = [];
    for (let round = 0; round < 5; round += 1) sweeps.push((await server.sweep()).sweepMs);
    const worst = median(sweeps);
    yield figure('heartbeat to 10,000 streams', worst, 'ms CPU', { goal: '≤ 50 ms', ok: worst <= 50 });
    await openMany('/sse', SESSIONS);
    const whole = await server.memory();
    yield figure('idle HTTP+SSE session', (whole.rss - after.rss) / SESSIONS / 1024, 'KB');
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

export async function* run({ peersDir }) {
  const project = makeProject();
  const started = [];
  const start = async (kind, options) => {
    const server = await startServer(kind, options);
    started.push(server);
    return server;
  };
  try {
    const server = await start('ours', { project });
    const answers = await answersOf(server);
    const options = { project, peersDir, answers, text: answers['resource/read'].contents[0].text };
    const raw = await start('raw', options);
    const size = { warm: 10_000, count: 3000 };
    yield* costs('changes.active', { raw, server, where: 'disk', size });
    yield* costs('resource read', { raw, server, where: 'disk', size });
    const inMemory = await start('oursInMemory', options);
    yield* costs('change.open', { raw, server: inMemory, where: 'protocol', size });
    yield* beside({ server, options });
    yield* latency(server);
    yield* memory(server);
    yield* durableOpen({ raw, files: await start('rawWithFiles', options), server });
    yield* streams(options);
    yield* coldStart(project);
    yield* idle(options);
  } finally {
    for (const server of started) await server.stop();
    rmSync(project, { recursive: true, force: true });
  }
}
