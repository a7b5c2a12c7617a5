import { once } from 'node:events';
import type { Socket } from 'node:net';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { dial, quantile, served } from './crowd-harness.ts';
import { start, until, untilClosed } from './harness.ts';
import type { Route } from './types.ts';

describe('a crowd', () => {
  it('[H9] of 1,000 slow senders is let go in time and keeps nobody from an answer', { timeout: 120_000 }, async () => {
    await using server = await served();
    const answers: string[] = [];
    const open = new Set<Socket>();
    const slow = (head: string): Socket => {
      const socket = dial(server.port, head, (chunk) => answers.push(chunk.slice(0, 12)));
      open.add(socket);
      const timer = setInterval(() => socket.write('x'), 5000);
      socket.on('close', () => {
        open.delete(socket);
        clearInterval(timer);
      });
      return socket;
    };
    for (let count = 0; count < 500; count += 1) {
      slow(`GET /healthz HTTP/1.1\r\nHost: localhost:${server.port}\r\nX-Slow: `);
      slow(
        `POST /write HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n`,
      );
      if (count % 50 === 0) await systemClock.sleep(20);
    }
    const times: number[] = [];
    const from = systemClock.monotonic();
    while (open.size > 0 && systemClock.monotonic() - from < 60_000) {
      const begun = systemClock.monotonic();
      expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
      times.push(systemClock.monotonic() - begun);
      await systemClock.sleep(50);
    }
    expect(open.size).toBe(0);
    expect(answers.filter((answer) => answer === 'HTTP/1.1 408').length).toBeGreaterThanOrEqual(900);
    expect(quantile(times, 0.99)).toBeLessThan(100);
    console.log('[H9]', { p50: quantile(times, 0.5), p99: quantile(times, 0.99), count: times.length });
  });

  it('[H11] of 10,000 idle streams costs 16 KB each and a heartbeat of 50 ms', { timeout: 120_000 }, async () => {
    await using server = await served();
    const before = await server.ask('memory');
    let heads = 0;
    let beats = 0;
    const sockets: Socket[] = [];
    const request = `GET /events HTTP/1.1\r\nHost: localhost:${server.port}\r\n\r\n`;
    for (let count = 0; count < 10_000; count += 1) {
      sockets.push(
        dial(server.port, request, (chunk) => {
          if (chunk.includes('HTTP/1.1 200')) heads += 1;
          if (chunk.includes('event: heartbeat')) beats += 1;
        }),
      );
      if (count % 100 === 99) await until(() => heads > count - 100);
    }
    await until(() => heads === 10_000);
    const after = await server.ask('memory');
    expect(after['streams']).toBe(10_000);
    const perStream = ((after['rss'] ?? NaN) - (before['rss'] ?? NaN)) / 10_000;
    const sweeps: number[] = [];
    for (let round = 1; round <= 5; round += 1) {
      const { sweepMs = NaN } = await server.ask('beat');
      await until(() => beats === round * 10_000);
      sweeps.push(sweepMs);
    }
    for (const socket of sockets) socket.destroy();
    console.log('[H11]', { bytesPerStream: perStream, rss: after['rss'], sweeps });
    expect(perStream).toBeLessThan(16 * 1024);
    expect(after['rss']).toBeLessThan(256 * 1024 * 1024);
    expect(quantile(sweeps, 0.5)).toBeLessThan(50);
  });

  it(
    '[H12] of 10,000 readers that leave in the middle aborts their work and leaves nothing behind',
    { timeout: 120_000 },
    async () => {
      let begun = 0;
      let aborted = 0;
      const events: Route = {
        method: 'GET',
        path: '/events',
        scope: 'read',
        handler: ({ signal }) => {
          begun += 1;
          signal.addEventListener('abort', () => (aborted += 1), { once: true });
          return { kind: 'stream', contentType: 'text/event-stream', heartbeat: true, run: untilClosed };
        },
      };
      await using running = await start([events], { requestTimeoutMs: 30_000 });
      const request = `GET /events HTTP/1.1\r\nHost: localhost:${running.port}\r\n\r\n`;
      for (let round = 0; round < 50; round += 1) {
        await Promise.all(
          Array.from({ length: 200 }, async () => {
            const socket = dial(running.port, request);
            await once(socket, 'data');
            socket.destroy();
          }),
        );
      }
      await until(() => running.front.stats().connections === 0);
      expect([begun, aborted]).toEqual([10_000, 10_000]);
      expect(running.front.stats()).toMatchObject({ streams: 0, inFlight: 0 });
    },
  );
});
