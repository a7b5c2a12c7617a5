import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { openLimiter, systemClock } from '@cloutagent/kit';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { start, until } from './harness.ts';
import { openSharedLimiter } from './shared-limiter.ts';
import type { Route } from './types.ts';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const startRedis = async (port: number): Promise<ChildProcess> => {
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept')) break;
  child.stdout.resume();
  return child;
};

/** A Redis of our own that may be killed. */
const redis = async () => {
  const port = await freePort();
  let child = await startRedis(port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: (name: NodeJS.Signals) => child.kill(name),
    kill,
    restart: async () => {
      child = await startRedis(port);
    },
    [Symbol.asyncDispose]: kill,
  };
};

/** Asks for four seconds as fast as it can; runs what is built, as every process does. */
const HAMMER = `
  import { openLimiter, systemClock as clock } from '@cloutagent/kit';
  import { openSharedLimiter } from '${new URL('../dist/shared-limiter.js', import.meta.url).href}';
  const rule = { rate: 100, windowMs: 1000, burst: 50 };
  const limiter = openSharedLimiter({ url: process.argv[1], rule, local: openLimiter(rule, clock), clock, log() {} });
  do { await clock.sleep(50); await limiter.take('other', 1); } while (limiter.degraded());
  const from = clock.now();
  let granted = 0;
  while (clock.now() < from + 4000) {
    const { allowed } = await limiter.take('k', 1);
    if (allowed && !limiter.degraded()) granted += 1;
  }
  console.log(JSON.stringify({ granted, from, to: clock.now() }));
  limiter.close();
`;

const write: Route = { method: 'POST', path: '/w', scope: 'run', handler: () => ({ kind: 'json', body: {} }) };
const idle = { read: () => 0, close: () => undefined };

describe('limits over Redis', () => {
  it('[T12.redis] are one bucket for two servers', async () => {
    await using server = await redis();
    const options = {
      rateLimit: { rate: 60, windowMs: 60_000, burst: 20, redisUrl: server.url, loopDelay: idle },
    };
    await using first = await start([write], options);
    await using second = await start([write], options);
    const post = async (url: string): Promise<Response> => fetch(`${url}/w`, { method: 'POST' });
    for (const { front, url } of [first, second]) {
      while (front.stats().rateLimit?.shared !== 'redis') await post(url);
    }
    const client = new Redis({ port: server.port });
    await client.flushall();
    client.disconnect();
    const answers = [];
    for (let count = 0; count < 40; count += 1) answers.push(await post(count % 2 === 0 ? first.url : second.url));
    const granted = answers.filter(({ status }) => status === 200).length;
    // One a second may have come back meanwhile.
    expect(granted).toBeGreaterThanOrEqual(20);
    expect(granted).toBeLessThan(25);
    expect(answers.at(-1)?.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('[H4] grant no more than burst + rate·t to four processes', async () => {
    await using server = await redis();
    const results = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ['--input-type=module', '-e', HAMMER, server.url],
          {
            cwd: import.meta.dirname,
          },
        );
        return JSON.parse(stdout) as { granted: number; from: number; to: number };
      }),
    );
    const granted = results.reduce((sum, result) => sum + result.granted, 0);
    const span = Math.max(...results.map(({ to }) => to)) - Math.min(...results.map(({ from }) => from));
    const bound = 50 + span / 10;
    expect(granted).toBeLessThanOrEqual(bound * 1.01);
    expect(granted).toBeGreaterThan(bound * 0.7);
  });

  it('[H5] [T12.redis-lost] decide within 150 ms from memory when Redis stops, dies or is flushed, and come back', async () => {
    await using server = await redis();
    const rule = { rate: 60, windowMs: 60_000, burst: 90 };
    const logs: string[] = [];
    const limiter = openSharedLimiter({
      url: server.url,
      rule,
      local: openLimiter(rule, systemClock),
      clock: systemClock,
      log: (_level, message) => logs.push(message),
    });
    const slowest = async (count: number): Promise<number> => {
      const times: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const from = systemClock.monotonic();
        await limiter.take('k', 1);
        times.push(systemClock.monotonic() - from);
      }
      return Math.max(...times);
    };
    const back = async (): Promise<void> => {
      while (limiter.degraded()) {
        await systemClock.sleep(50);
        await limiter.take('probe', 1);
      }
    };
    await back();
    for (let count = 0; count < 80; count += 1) await limiter.take('k', 1);
    expect(limiter.degraded()).toBe(false);

    server.signal('SIGSTOP');
    expect(await slowest(20)).toBeLessThan(150);
    expect(limiter.degraded()).toBe(true);
    // Memory goes on where Redis stood: 80 were taken before and 10 of the last 20 fit.
    expect((await limiter.take('k', 1)).allowed).toBe(false);
    server.signal('SIGCONT');
    await back();

    await server.kill();
    await until(() => limiter.degraded());
    expect(await slowest(20)).toBeLessThan(150);
    expect((await limiter.take('k', 1)).allowed).toBe(false);
    const from = systemClock.monotonic();
    await server.restart();
    await back();
    expect(systemClock.monotonic() - from).toBeLessThan(5000);
    const client = new Redis({ port: server.port });
    await client.flushall();
    client.disconnect();
    expect((await limiter.take('k', 1)).remaining).toBe(89);
    limiter.close();
    expect(logs.filter((message) => message.includes('lost')).length).toBeGreaterThanOrEqual(2);
    expect(logs.at(-1)).toBe('rate limits are shared');
  });
});
