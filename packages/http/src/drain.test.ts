import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { manualClock, start, until, untilClosed } from './harness.ts';
import type { Route, StreamWriter } from './types.ts';

const gate = () => {
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, release };
};

const sse = (path: string, run: (writer: StreamWriter) => Promise<void>, onDrain?: 'finish'): Route => ({
  method: 'GET',
  path,
  scope: 'read',
  handler: () => ({
    kind: 'stream',
    contentType: 'text/event-stream',
    run,
    ...(onDrain === undefined ? {} : { onDrain }),
  }),
});

describe('[T25.streams, T25.requests] drain', () => {
  it('ends streams with an event, lets requests and unfinished work come to their end, then closes', async () => {
    const work = gate();
    let started = 0;
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      scope: 'read',
      handler: async () => {
        started += 1;
        await work.opened;
        return { kind: 'json', body: { done: true } };
      },
    };
    const tool = sse(
      '/tool',
      async (writer) => {
        started += 1;
        await work.opened;
        await writer.sse({ event: 'result', data: '1' });
      },
      'finish',
    );
    const clock = manualClock(5);
    await using running = await start([slow, tool, sse('/events', untilClosed)], { clock });
    const events = await fetch(`${running.url}/events`);
    const results = await fetch(`${running.url}/tool`);
    const answer = fetch(`${running.url}/slow`);
    await until(() => started === 2);

    const drained = running.front.drain(10_000);
    expect(running.front.drain(1)).toBe(drained);
    expect(await events.text()).toBe('event: shutdown\nretry: 2000\ndata: {"ts":5}\n\n');
    await expect(fetch(`${running.url}/slow`)).rejects.toThrow('fetch failed');
    work.release();
    expect(await (await answer).json()).toEqual({ done: true });
    expect(await results.text()).toBe('event: result\ndata: 1\n\n');
    await drained;
    expect(running.front.server.listening).toBe(false);
    expect(clock.sleepers()).toBe(0);
  });

  it('[T10.stopping] refuses a request that was begun on a kept-alive connection before the stop', async () => {
    const quick: Route = { method: 'GET', path: '/quick', scope: 'read', handler: () => ({ kind: 'json', body: {} }) };
    const stay = gate();
    const busy: Route = {
      ...quick,
      path: '/busy',
      handler: async () => {
        await stay.opened;
        return { kind: 'json', body: {} };
      },
    };
    await using running = await start([quick, busy]);
    const other = fetch(`${running.url}/busy`);
    const socket = connect(running.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write(`GET /quick HTTP/1.1\r\nHost: localhost:${running.port}\r\n\r\nGET /quick HTTP/1.1\r\n`);
    await until(() => text.includes('200 OK'));
    const drained = running.front.drain(10_000);
    socket.write(`Host: localhost:${running.port}\r\n\r\n`);
    await until(() => text.includes('SHUTTING_DOWN'));
    expect(text).toMatch(/HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n[\s\S]*Connection: close/u);
    stay.release();
    expect((await other).status).toBe(200);
    await drained;
  });

  it('gives what is left a last word when the time is over', async () => {
    const clock = manualClock(5);
    let aborted = false;
    let started = false;
    const stuck: Route = {
      method: 'GET',
      path: '/stuck',
      scope: 'read',
      handler: ({ signal }) =>
        new Promise((_resolve, reject) => {
          started = true;
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason as Error);
          });
        }),
    };
    await using running = await start([stuck, sse('/tool', untilClosed, 'finish')], { clock });
    const results = await fetch(`${running.url}/tool`);
    const answer = fetch(`${running.url}/stuck`);
    await until(() => started && clock.sleepers() === 1);
    const drained = running.front.drain(10_000);
    clock.advance(9_999);
    expect(aborted).toBe(false);
    clock.advance(1);
    await drained;
    expect(await results.text()).toContain('event: shutdown\n');
    expect((await answer).status).toBe(503);
    expect(aborted).toBe(true);
  });

  it('does not wait for a connection that a finished stream left open', async () => {
    await using running = await start([sse('/events', untilClosed)]);
    // For ever, so that only the drain can close it.
    running.front.server.keepAliveTimeout = 0;
    const socket = connect(running.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write(`GET /events HTTP/1.1\r\nHost: localhost:${running.port}\r\n\r\n`);
    await until(() => text.includes('200 OK'));
    await running.front.drain(60_000);
    await until(() => socket.closed);
    expect(text).toContain('event: shutdown');
  });

  it('is quiet on a server that never listened', async () => {
    await using running = await start([]);
    await running.front.drain(10);
    await running.front.drain(10);
  });
});
