import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { figure } from './support/figure.mjs';
import { load } from './support/load.mjs';
import { median } from './support/process.mjs';
import { idle } from './support/task-mcp-idle.mjs';
import { ASK, makeProject, questionOf } from './support/task-mcp-load.mjs';
import { compare, CONNECTIONS, startServer, warmUp } from './support/task-mcp-process.mjs';

// What a request to the Task MCP server costs beside a bare node:http server and the handlers of others. The product
// runs as `task-mcp --http` does, on a project of 1,000 changes on disk, with every limit on.
//
// The bare server is asked the very same requests of each protocol, checks their token, parses their body and makes the
// very same answer, line for line, into text.
//
// `change.open` makes eight folders and files and puts them on the disk (fsync) before it answers; a server that only
// parses and stringifies does not, and costs a hundredth of that. So it is measured twice. Its protocol alone, over
// changes in memory, has the goal beside the bare server: there both do what their words say. Whole, it stands beside a
// bare server with the same library, which shows what protocol and front add to a real opening, and beside one that
// writes and syncs the same folders and files by plain calls of the system, without lock, rules and a look at the rest.

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

const post = async ({ port }, { path, headers, body }) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
  return (await response.text()).trim().split('\n').map(JSON.parse);
};

/** What the product answers to each question on this project, so that the others make the same into text. */
const answersOf = async (server) => {
  const answers = {};
  for (const asks of Object.values(ASK)) {
    for (const ask of Object.values(asks)) {
      const request = ask();
      answers[questionOf(JSON.parse(request.body))] = await post(server, request);
    }
  }
  return answers;
};

/** Each protocol of `server`, and the bare server asked the same. */
const besideRaw = (asks, raw, server) =>
  Object.fromEntries(
    Object.entries(asks).flatMap(([protocol, ask]) => [
      [`raw ${protocol}`, { server: raw, ask }],
      [protocol, { server, ask }],
    ]),
  );

/** Cost of each protocol beside the bare server. */
async function* costs(what, { raw, server, where, size }) {
  const best = await compare(besideRaw(ASK[what], raw, server), size);
  for (const [protocol, limit] of Object.entries(GOAL)) {
    const bare = best[`raw ${protocol}`].cpu;
    const ratio = best[protocol].cpu / bare;
    yield figure(`${what}, ${protocol}, ${where}`, best[protocol].cpu, 'µs CPU', {
      others: { raw: bare, 'raw seed': best['raw seed'].cpu, 'requests/s': best[protocol].rate },
      ratio,
      goal: `≤ ${limit}× raw`,
      ok: ratio <= limit,
    });
  }
}

/** `change.open` with its files, beside bare servers that write the same. */
async function* durableOpen({ raw, files, library, server }) {
  const asks = ASK['change.open'];
  const best = await compare(
    {
      raw: { server: raw, ask: asks.seed },
      files: { server: files, ask: asks.seed },
      library: { server: library, ask: asks.seed },
      ...Object.fromEntries(Object.entries(asks).map(([protocol, ask]) => [protocol, { server, ask }])),
    },
    // One change is opened after the other, under a lock that nobody waits for long.
    { warm: 100, count: 100, connections: 4 },
  );
  for (const [protocol, limit] of Object.entries(GOAL)) {
    const ratio = best[protocol].cpu / best.library.cpu;
    yield figure(`change.open, ${protocol}, disk`, best[protocol].cpu, 'µs CPU', {
      others: {
        'raw and the library': best.library.cpu,
        'raw and plain files': best.files.cpu,
        raw: best.raw.cpu,
        'requests/s': best[protocol].rate,
      },
      ratio,
      goal: `≤ ${limit}× raw and the library`,
      ok: ratio <= limit,
    });
  }
}

/**
 * Requests a second that a processor of the server makes, beside the SDK's handler and fastmcp, which answer the same
 * from memory. By the clock the one that asks would be measured too, and whoever else runs on the machine.
 */
async function* beside({ server, inMemory, options }) {
  const sdk = await startServer('sdk', options);
  const fastmcp = await startServer('fastmcp', options);
  try {
    for (const [what, where] of [
      ['changes.active', 'disk'],
      ['resource read', 'disk'],
      ['change.open', 'protocol'],
    ]) {
      for (const era of ['modern', 'legacy']) {
        const others = era === 'modern' ? { sdk } : { sdk, fastmcp };
        const contenders = Object.entries({ own: where === 'disk' ? server : inMemory, ...others });
        const best = await compare(
          Object.fromEntries(contenders.map(([name, started]) => [name, { server: started, ask: ASK[what][era] }])),
          { warm: 800, count: 800, rounds: 3 },
        );
        const { own, ...rates } = Object.fromEntries(Object.entries(best).map(([name, { cpu }]) => [name, 1e6 / cpu]));
        const ratio = own / Math.max(...Object.values(rates));
        const byClock = Object.entries(best).map(([name, { rate }]) => [`${name} by the clock`, rate]);
        yield figure(`${what}, ${era}, ${where}`, own, 'requests/CPU-s', {
          others: { ...rates, ...Object.fromEntries(byClock) },
          ratio,
          goal: '≥ 4× the best',
          ok: ratio >= 4,
        });
      }
    }
  } finally {
    await sdk.stop();
    await fastmcp.stop();
  }
}

async function* streams(options) {
  const text = '- [ ] 1.1 First task\n'.repeat((900 * 1024) / 21);
  const answers = { ...options.answers, 'resource/read': [{ contents: [{ uri: 'change://x/tasks', text }] }] };
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
    const [{ contents }] = answers['resource/read'];
    const { structuredContent: page } = answers['changes.active'].find(({ type }) => type === 'result').result;
    const options = { project, peersDir, answers, page, text: contents[0].text };
    const raw = await start('raw', options);
    const size = { warm: 10_000, count: 3000, rounds: 8 };
    yield* costs('changes.active', { raw, server, where: 'disk', size });
    yield* costs('resource read', { raw, server, where: 'disk', size });
    const inMemory = await start('oursInMemory', options);
    yield* costs('change.open', { raw, server: inMemory, where: 'protocol', size });
    yield* beside({ server, inMemory, options });
    yield* latency(server);
    yield* memory(server);
    const library = await start('rawWithLibrary', options);
    yield* durableOpen({ raw, files: await start('rawWithFiles', options), library, server });
    yield* streams(options);
    yield* coldStart(project);
    yield* idle(options);
  } finally {
    for (const server of started) await server.stop();
    rmSync(project, { recursive: true, force: true });
  }
}
