import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { load } from './load.mjs';

const SERVER = fileURLToPath(new URL('./task-mcp-server.mjs', import.meta.url));
export const CONNECTIONS = 32;

/** Starts one of the servers of task-mcp-server.mjs; `await using` ends it. */
export const startServer = async (kind, options) => {
  const child = fork(SERVER, [kind], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send(options);
  const [{ port }] = await once(child, 'message');
  const ask = async (question) => {
    const told = once(child, 'message');
    child.send(question);
    return (await told)[0];
  };
  const stop = async () => {
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  };
  return { port, usage: () => ask('usage'), memory: () => ask('memory'), sweep: () => ask('sweep'), stop };
};

/** Microseconds of the server's processor for one request, and requests a second. */
const measure = async (server, ask, { count, connections }) => {
  const before = await server.usage();
  const { ms } = await load(server.port, ask, { count, connections });
  const after = await server.usage();
  return { cpu: (after.cpu - before.cpu) / count, rate: (count / ms) * 1000 };
};

export const warmUp = (server, ask, count, connections = CONNECTIONS) => load(server.port, ask, { count, connections });

/**
 * The same questions to several servers in turns, and of each the round that was disturbed least: neighbours on the
 * machine only ever add.
 * @param {Record<string, { server: object, ask: () => object }>} contenders
 */
export const compare = async (contenders, { warm, count, rounds = 5, connections = CONNECTIONS }) => {
  const best = {};
  for (const { server, ask } of Object.values(contenders)) await warmUp(server, ask, warm, connections);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { server, ask }] of Object.entries(contenders)) {
      const { cpu, rate } = await measure(server, ask, { count, connections });
      const known = best[name] ?? { cpu: Infinity, rate: 0 };
      best[name] = { cpu: Math.min(known.cpu, cpu), rate: Math.max(known.rate, rate) };
    }
  }
  return best;
};
