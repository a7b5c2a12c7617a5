import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { load } from './support/load.mjs';
import { median } from './support/process.mjs';
import { ASK, fakePage, HEADERS, makeProject } from './support/task-mcp-load.mjs';

// What a request to the Task MCP server costs beside a bare node:http server and the handlers of others.

const SERVER = fileURLToPath(new URL('./support/task-mcp-server.mjs', import.meta.url));
const BIN = fileURLToPath(new URL('../packages/task-mcp/bin/task-mcp.mjs', import.meta.url));
const CONNECTIONS = 32;
const WARM = 1500;
const COUNT = 3000;

export const area = 'task-mcp';
export const peers = {
  '@modelcontextprotocol/node': '2.1.2',
  '@modelcontextprotocol/server': '2.4.0',
  fastmcp: '4.20.16',
};

const GOAL = { seed: 2, legacy: 3, modern: 3 };

const start = async (kind, options) => {
  const child = fork(SERVER, [kind, JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
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

/** Microseconds of the server's CPU for one request, and requests a second, warm. */
const measure = async (server, ask, { warm = WARM, count = COUNT } = {}) => {
  await load(server.port, ask, { count: warm, connections: CONNECTIONS });
  const before = await server.usage();
  const { ms } = await load(server.port, ask, { count, connections: CONNECTIONS });
  const after = await server.usage();
  return { cpu: (after.cpu - before.cpu) / count, rate: (count / ms) * 1000 };
};

const figure = (name, value, unit, { others = {}, ratio = null, goal = null, ok = null } = {}) => ({
  name,
  value,
  unit,
  peers: others,
  ratio,
  goal,
  ok,
});

/** CPU of each protocol beside a bare server: `where` says what the answers come from. */
async function* costs(kind, where, asks, options, goals) {
  const raw = await start('raw', options);
  const server = await start(kind, options);
  try {
    for (const [what, protocols] of asks) {
      const small =
        what === 'change.open'
          ? { warm: 50, count: 200 }
          : where === 'disk' && what === 'changes.active'
            ? { warm: 50, count: 200 }
            : {};
      const bare = await measure(raw, protocols.seed, small);
      for (const [protocol, ask] of Object.entries(protocols)) {
        const { cpu, rate } = await measure(server, ask, small);
        const ratio = cpu / bare.cpu;
        const limit = GOAL[protocol];
        yield figure(`${what}, ${protocol}, ${where}`, cpu, 'µs CPU', {
          others: { raw: bare.cpu, 'requests/s': rate },
          ratio,
          ...(goals ? { goal: `≤ ${limit}× raw`, ok: ratio <= limit } : {}),
        });
      }
    }
  } finally {
    await raw.stop();
    await server.stop();
  }
}

/** Requests a second beside the SDK's handler and fastmcp, all answering from memory. */
async function* beside(options) {
  const rates = {};
  for (const [kind, ask] of [
    ['oursInMemory', ASK['changes.active'].modern],
    ['oursInMemory', ASK['changes.active'].legacy],
    ['sdk', ASK['changes.active'].modern],
    ['sdk', ASK['changes.active'].legacy],
    ['fastmcp', ASK['changes.active'].legacy],
  ]) {
    const server = await start(kind, options);
    try {
      const era = ask === ASK['changes.active'].modern ? 'modern' : 'legacy';
      rates[`${kind} ${era}`] = (await measure(server, ask, { warm: 800, count: 1500 })).rate;
    } finally {
      await server.stop();
    }
  }
  for (const era of ['modern', 'legacy']) {
    const { [`oursInMemory ${era}`]: own, ...rest } = rates;
    const others = Object.fromEntries(
      Object.entries(rest).filter(([name]) => name.endsWith(era) && !name.startsWith('ours')),
    );
    const ratio = own / Math.max(...Object.values(others));
    yield figure(`changes.active, ${era}, memory`, own, 'requests/s', {
      others,
      ratio,
      goal: '≥ 4× the best',
      ok: ratio >= 4,
    });
  }
}

async function* streams(options) {
  const server = await start('oursInMemory', { ...options, textLength: 900 * 1024 });
  const raw = await start('raw', { ...options, textLength: 900 * 1024 });
  try {
    const ask = ASK['resource read'].seed;
    const rate = async ({ port }) => {
      await load(port, ask, { count: 50, connections: 4 });
      const { bytes, ms } = await load(port, ask, { count: 200, connections: 4 });
      return bytes / ms / 1000;
    };
    const own = await rate(server);
    const bare = await rate(raw);
    yield figure('900 KB resources', own, 'MB/s', {
      others: { raw: bare },
      ratio: own / bare,
      goal: '≥ 0.5× raw',
      ok: own >= bare / 2,
    });
  } finally {
    await server.stop();
    await raw.stop();
  }
}

async function* latency(options) {
  const server = await start('ours', options);
  try {
    const ask = ASK['resource read'].seed;
    await load(server.port, ask, { count: 500, connections: 10 });
    const { average } = await load(server.port, ask, { count: 500, connections: 10 });
    yield figure('10 concurrent requests', average, 'ms each', { goal: '≤ 12 ms', ok: average <= 12 });
  } finally {
    await server.stop();
  }
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
  for (let round = 0; round < 9; round += 1) {
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

async function* memory(options) {
  const server = await start('oursInMemory', options);
  try {
    const ask = ASK['resource read'].modern;
    await load(server.port, ask, { count: 20_000, connections: CONNECTIONS });
    const before = await server.usage();
    await load(server.port, ask, { count: 20_000, connections: CONNECTIONS });
    const after = await server.usage();
    const slope = (((after.rss - before.rss) / 20_000) * 100_000) / 1024 / 1024;
    yield figure('memory for 100,000 requests', slope, 'MB', { goal: '< 1 MB', ok: slope < 1 });
  } finally {
    await server.stop();
  }
}

async function* idle(options) {
  const server = await start('oursInMemory', options);
  const sockets = [];
  const headers = { ...HEADERS, accept: 'text/event-stream' };
  const open = () =>
    new Promise((resolve, reject) => {
      const sent = request(
        { port: server.port, host: '127.0.0.1', path: '/sse', headers, agent: false },
        (response) => {
          response.once('data', resolve).on('error', () => undefined);
        },
      );
      sent.on('error', reject).on('socket', (socket) => sockets.push(socket));
      sent.end();
    });
  try {
    for (let index = 0; index < 100; index += 1) await open();
    const before = await server.usage();
    const wanted = 900;
    for (let done = 0; done < wanted; done += 100) await Promise.all(Array.from({ length: 100 }, open));
    const after = await server.usage();
    const each = (after.rss - before.rss) / wanted / 1024;
    yield figure('idle HTTP+SSE session', each, 'KB', { goal: null });
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

export async function* run({ peersDir }) {
  const project = makeProject();
  const options = { project, peersDir, page: fakePage(), textLength: 210 };
  const inMemory = ['changes.active', 'resource read'].map((what) => [what, ASK[what]]);
  try {
    yield* costs('oursInMemory', 'memory', inMemory, options, true);
    yield* costs('ours', 'disk', Object.entries(ASK), options, false);
    yield* beside(options);
    yield* streams(options);
    yield* latency(options);
    yield* coldStart(project);
    yield* idle(options);
    yield* memory(options);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
