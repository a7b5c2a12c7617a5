// A process whose memory is measured: `measured.mjs agent` executes an agent, `measured.mjs server ROOT` serves. It takes
// lines and answers each with one line of JSON: `memory` collects garbage first, `go` lets the agent's reader read on.
import { subscribe } from 'node:diagnostics_channel';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const say = (value) => console.log(JSON.stringify(value));

const sockets = new Set();
subscribe('net.server.socket', ({ socket }) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});

const measure = async () => {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    await sleep(50);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  // Those whose other end takes nothing.
  const held = [...sockets].filter(({ writableLength }) => writableLength > 0);
  const written = held.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  return { live: heapUsed + external, rss, held: held.length, written };
};

const openAgent = async () => {
  const { ClaudeSDKService } = await import('@cloutagent/compat');
  const service = new ClaudeSDKService();
  const config = { name: 'a', model: 'claude-sonnet-5-5', systemPrompt: 'x', maxTokens: 128_000, enabledTools: [] };
  const agent = await service.createAgent({ ...config, id: 'a' });
  // Everything is loaded and compiled before it counts.
  await service.executeAgent(agent, 'short');
  let readOn = () => {};
  const held = new Promise((resolve) => {
    readOn = resolve;
  });
  let length = 0;
  const execution = service.streamExecution(agent, 'long', async (chunk) => {
    if (chunk.type !== 'content') return;
    const isFirst = length === 0;
    length += chunk.content.length;
    if (!isFirst) return;
    say({ stopped: true });
    await held;
  });
  return {
    memory: measure,
    go: async () => {
      readOn();
      const { status } = await execution;
      return { status, length };
    },
  };
};

const openServer = async (root) => {
  const { startServer } = await import('@cloutagent/server');
  const server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { ...process.env, RATE_LIMIT: '0', REQUEST_TIMEOUT_MS: '0' },
    user: 'ann',
    log: () => {},
    simulatorCommand: [process.execPath, '-e', ''],
  });
  say({ url: server.url, token: server.token });
  return { memory: measure };
};

const commands = process.argv[2] === 'agent' ? await openAgent() : await openServer(process.argv[3]);
for await (const line of createInterface({ input: process.stdin })) say(await commands[line]());
process.exit();
