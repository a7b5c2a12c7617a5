import { once } from 'node:events';
import type { Socket } from 'node:net';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { dial, dialDeaf, quantile, served } from './crowd-harness.ts';
import { until } from './harness.ts';

const MB = 1024 * 1024;

const healthzTimes = async (port: number, work: () => boolean): Promise<readonly number[]> => {
  const times: number[] = [];
  while (work()) {
    const begun = systemClock.monotonic();
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    times.push(systemClock.monotonic() - begun);
    await systemClock.sleep(20);
  }
  return times;
};

describe('those who do not read', () => {
  it('[H9] what is answered are let go in time and keep nobody from an answer', async () => {
    await using server = await served();
    const before = await server.ask('memory');
    const open = new Set<Socket>();
    // Each answer is longer than the buffers of the system, or there would be nothing left to wait for.
    for (let count = 0; count < 40; count += 1) open.add(dialDeaf(server.port, '/long'));
    // To make the answers is work, and so is the first connection of the probe; from then on they lie there.
    while (((await server.ask('memory'))['connections'] ?? 0) < open.size);
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
    const from = systemClock.monotonic();
    const times = await healthzTimes(server.port, () => systemClock.monotonic() - from < 5000);
    expect(quantile(times, 0.99)).toBeLessThan(100);
    const held = await server.ask('memory');
    // The probe's own connection may be kept.
    expect(held['connections']).toBeGreaterThanOrEqual(40);
    const released = async (): Promise<boolean> => ((await server.ask('memory'))['connections'] ?? NaN) <= 2;
    while (!(await released())) await systemClock.sleep(1000);
    const after = await server.ask('memory');
    console.log('[H9]', { p99: quantile(times, 0.99), before: before['rss'], held: held['rss'], after: after['rss'] });
    for (const socket of open) socket.destroy();
  }, 120_000);

  it('[H10] a stream of 200 MB cost 2 MiB each', async () => {
    await using server = await served();
    const before = await server.ask('memory');
    const sockets = Array.from({ length: 50 }, () => dialDeaf(server.port, '/flood'));
    const streams = async (): Promise<number> => (await server.ask('memory'))['streams'] ?? NaN;
    await systemClock.sleep(500);
    while ((await streams()) > 0) await systemClock.sleep(100);
    const { peak = NaN } = await server.ask('memory');
    const each = (peak - (before['peak'] ?? NaN)) / sockets.length;
    for (const socket of sockets) socket.destroy();
    console.log('[H10]', { bytesPerReader: each });
    expect(each).toBeLessThan(2 * MB);
  }, 60_000);

  it('[H16] of a body that never ends, nothing is kept', async () => {
    await using server = await served();
    const before = await server.ask('memory');
    let answer = '';
    const head = `POST /write HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const socket = dial(server.port, head, (chunk) => (answer += chunk));
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`.repeat(64);
    let sent = 0;
    const send = (): void => {
      while (!socket.destroyed && sent < 200 * MB) {
        sent += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', send);
          return;
        }
      }
    };
    await once(socket, 'connect');
    send();
    await until(() => socket.closed);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /u);
    const { peak = NaN } = await server.ask('memory');
    console.log('[H16]', { sent, grown: peak - (before['peak'] ?? NaN) });
    expect(peak - (before['peak'] ?? NaN)).toBeLessThan(64 * MB);
  }, 60_000);
});
