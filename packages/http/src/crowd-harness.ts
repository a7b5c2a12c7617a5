/** A server in a process of its own, and those who press upon it; listed in no index. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * A server as built. It takes lines: `beat` runs one sweep of the heartbeat, `memory` collects garbage; each is
 * answered with one line of JSON.
 */
const PROGRAM = `
  import { createInterface } from 'node:readline';
  import { createFront } from '${new URL('../dist/index.js', import.meta.url).href}';
  import { systemClock } from '@cloutagent/kit';
  let beat = () => {};
  const sleep = (ms, signal) => ms === 25_000 ? new Promise((resolve) => { beat = resolve; }) : systemClock.sleep(ms, signal);
  const events = () => ({ kind: 'stream', contentType: 'text/event-stream', heartbeat: true,
    run: (writer) => new Promise((resolve) => writer.signal.addEventListener('abort', resolve, { once: true })) });
  // 200 MB without a look at whether anybody takes them.
  const flood = () => ({ kind: 'stream', contentType: 'text/event-stream', run: async (writer) => {
    const data = 'x'.repeat(100_000);
    for (let part = 0; part < 2000 && !writer.signal.aborted; part += 1) {
      writer.sse({ data }).catch(() => {});
      if (part % 10 === 9) await new Promise(setImmediate);
    }
  } });
  const front = createFront({
    routes: [
      { method: 'GET', path: '/healthz', scope: 'open', handler: () => ({ kind: 'json', body: {} }) },
      { method: 'POST', path: '/write', scope: 'run', handler: async (context) => ({ kind: 'json', body: await context.readJson() }) },
      { method: 'GET', path: '/events', scope: 'read', handler: events },
      { method: 'GET', path: '/flood', scope: 'read', handler: flood },
      { method: 'GET', path: '/long', scope: 'read', handler: () => ({ kind: 'json', body: 'x'.repeat(10_000_000) }) },
    ],
    tokens: { user: [], admin: [] }, allowedOrigins: [], clock: { ...systemClock, sleep }, log() {},
    rateLimit: { rate: 1e9, windowMs: 60_000, burst: 1e9 }, requestTimeoutMs: 30_000,
  });
  const { port } = await front.listen({ port: 0, host: '127.0.0.1' });
  const say = (value) => console.log(JSON.stringify(value));
  say({ port });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'beat') {
      // The longest turn of the loop, in time of the processor: what the neighbours do does not count.
      const used = () => process.cpuUsage().user + process.cpuUsage().system;
      let [last, worst] = [used(), 0];
      beat();
      for (let turn = 0; turn < 100; turn += 1) {
        await new Promise(setImmediate);
        const now = used();
        [last, worst] = [now, Math.max(worst, (now - last) / 1000)];
      }
      say({ sweepMs: worst });
    } else {
      for (let round = 0; round < 6; round += 1) { gc(); await systemClock.sleep(200); }
      const { rss } = process.memoryUsage();
      const { streams, connections } = front.stats();
      say({ rss, peak: process.resourceUsage().maxRSS * 1024, streams, connections });
    }
  }
  process.exit();
`;

export const served = async () => {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', PROGRAM], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<Record<string, number>> => {
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as Record<string, number>;
  };
  const { port = 0 } = await next();
  return {
    port,
    ask: async (question: 'beat' | 'memory') => {
      const answer = next();
      child.stdin.write(`${question}\n`);
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
};

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN;

export const dial = (port: number, text: string, onData: (chunk: string) => void = () => undefined): Socket => {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket
    .setEncoding('utf8')
    .on('data', onData)
    .on('error', () => undefined);
  return socket;
};

/** A request whose sender never reads what is answered. */
export const dialDeaf = (port: number, path: string): Socket => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  return socket.pause();
};
