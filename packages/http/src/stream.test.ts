import { connect, type Socket } from 'node:net';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import { decodeSse, encodeSse, type SseEvent } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { manualClock, start, until, untilClosed } from './harness.ts';
import type { Route, StreamWriter } from './types.ts';

const streamRoute = (run: (writer: StreamWriter) => Promise<void>, extra: object = {}): Route => ({
  method: 'GET',
  path: '/stream',
  scope: 'read',
  handler: () => ({ kind: 'stream', contentType: 'text/event-stream', run, ...extra }),
});

const textOf = async function* (body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) yield decoder.decode(chunk, { stream: true });
};

const open = (port: number): Socket => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /stream HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  return socket;
};

describe('streams', () => {
  it('send their head when run begins and end when it returns', async () => {
    await using running = await start([
      streamRoute(async (writer) => {
        await writer.comment('hello\nthere');
        await writer.sse({ event: 'a', id: '1', data: 'x\ny' });
        await writer.sse({ data: 'z' });
      }),
    ]);
    const response = await fetch(`${running.url}/stream`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await response.text()).toBe(': hello there\n\nevent: a\nid: 1\ndata: x\ndata: y\n\ndata: z\n\n');
  });

  it('keep the status of an error before run and end with an error event after it', async () => {
    await using running = await start([streamRoute(() => Promise.reject(new Error('secret')))]);
    const response = await fetch(`${running.url}/stream`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toMatch(/^event: error\ndata: \{.*"code":"INTERNAL_ERROR"/u);
    expect(text).not.toContain('secret');
    const head = await fetch(`${running.url}/stream`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/event-stream', '']);
  });

  it('[T1.heartbeat] beat every 25 s from one timer, which stops with the last of them', async () => {
    const clock = manualClock(1000);
    await using running = await start([streamRoute(untilClosed, { heartbeat: true })], { clock });
    const clients = [new AbortController(), new AbortController()];
    const readers: AsyncIterator<SseEvent>[] = [];
    for (const { signal } of clients) {
      const response = await fetch(`${running.url}/stream`, { signal });
      readers.push(decodeSse(textOf(response.body)));
    }
    expect(clock.sleepers()).toBe(1);
    for (const ts of [26_000, 51_000]) {
      clock.advance(25_000);
      for (const reader of readers) {
        expect((await reader.next()).value).toEqual({ event: 'heartbeat', data: JSON.stringify({ ts }) });
      }
      await until(() => clock.sleepers() === 1);
    }
    for (const client of clients) client.abort();
    await until(() => clock.sleepers() === 0);
  });

  it('abort their work when the client goes away, and refuse further writes', async () => {
    let reason: unknown;
    let refused: unknown;
    await using running = await start([
      streamRoute(async (writer) => {
        await untilClosed(writer);
        reason = writer.signal.reason;
        refused = await writer.sse({ data: 'late' }).catch((error: unknown) => error);
      }),
    ]);
    const socket = open(running.port);
    socket.once('data', () => socket.destroy());
    await until(() => refused !== undefined);
    expect(String(reason)).toContain('went away');
    expect(refused).toBe(reason);
    expect(running.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('[H10] slow readers', () => {
  const frame = encodeSse({ data: 'x'.repeat(100_000) }).length;

  it('are cut off once 1 MiB waits for them, even if the writer never waits', async () => {
    let written = 0;
    let ended = false;
    await using running = await start([
      streamRoute(async (writer) => {
        while (!writer.signal.aborted && written < 200 * 1024 * 1024) {
          void writer.sse({ data: 'x'.repeat(100_000) });
          written += frame;
          if (written % (10 * frame) === 0) await setImmediateAsync();
        }
        ended = true;
      }),
    ]);
    const socket = open(running.port).pause();
    await until(() => ended);
    expect(written).toBeLessThan(60 * 1024 * 1024);
    socket.destroy();
  });

  it('hold back a writer that waits, and are dropped when they take nothing between two beats', async () => {
    const clock = manualClock();
    let written = 0;
    let ended = false;
    await using running = await start(
      [
        streamRoute(async (writer) => {
          try {
            for (;;) {
              await writer.sse({ data: 'x'.repeat(100_000) });
              written += 1;
            }
          } finally {
            ended = true;
          }
        }),
      ],
      { clock },
    );
    const socket = open(running.port).pause();
    let before = -1;
    await until(() => {
      const still = before === written && written > 0;
      before = written;
      return still;
    });
    expect(ended).toBe(false);
    clock.advance(25_000);
    await until(() => clock.sleepers() === 1);
    expect(ended).toBe(false);
    clock.advance(25_000);
    await until(() => ended);
    expect(written * 100_000).toBeLessThan(60 * 1024 * 1024);
    socket.destroy();
  });
});
