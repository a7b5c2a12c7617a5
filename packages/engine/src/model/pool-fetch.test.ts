import { createServer, request as httpRequest } from 'node:http';
import { createServer as createNetServer, connect, type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createAnthropicModel } from './anthropic.ts';
import { BLOCK, DELTA, END, KEY, serve, sse, START } from './messages-server.fake.ts';
import type { ModelPort } from './port.ts';
import { openPoolFetch } from './pool-fetch.ts';

const ask = (port: ModelPort, signal = new AbortController().signal) =>
  port.stream(
    { model: 'm', system: '', messages: [{ role: 'user', content: 'Hi' }], tools: [], maxTokens: 10 },
    { signal, idempotencyKey: 'k' },
  );
const modelOf = (baseUrl: string, proxy?: { http?: string; no?: string }) =>
  createAnthropicModel({ baseUrl, apiKey: KEY, clock: systemClock, proxy });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that live on after a collection. */
const live = (): number => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Waits until a number no longer grows. */
const settled = async (read: () => number): Promise<number> => {
  for (let before = -1; ;) {
    const now = read();
    if (now === before && now > 0) return now;
    before = now;
    await systemClock.sleep(150);
  }
};

describe('[E4.backpressure] a reader that stops reading', () => {
  it('stops the server, and costs no more than 2 MiB', async () => {
    const FRAME = `event: content_block_delta\ndata: ${JSON.stringify({ ...DELTA, delta: { type: 'text_delta', text: 'x'.repeat(1000) } })}\n\n`;
    let sent = 0;
    using server = await serve((_request, response) => {
      sse(response, START, BLOCK);
      const push = (): void => {
        while (sent < 40_000) {
          sent += 1;
          if (!response.write(FRAME)) {
            response.once('drain', push);
            return;
          }
        }
        sse(response, ...END);
        response.end();
      };
      push();
    });
    const events = ask(modelOf(server.url))[Symbol.asyncIterator]();
    for (let read = 0; read < 100; read += 1) await events.next();
    const before = live();
    const stopped = await settled(() => sent);
    // 40 MB wait at the server; what is on the way fits the sockets' buffers.
    expect(stopped).toBeLessThan(20_000);
    const after = live();
    expect(sent).toBe(stopped);
    expect(after - before).toBeLessThan(2 * 1024 * 1024);
    let length = 0;
    for (let next = await events.next(); next.done !== true; next = await events.next()) length += 1;
    expect(length).toBeGreaterThan(39_000);
  });
});

describe('the network of calls', () => {
  it('closes the connection when the reader goes', async () => {
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => (closed = resolve));
    using server = await serve((_request, response) => {
      sse(response, START, BLOCK, DELTA);
      response.on('close', () => closed());
    });
    for await (const event of ask(modelOf(server.url))) if (event.type === 'text') break;
    await gone;
  });

  it('uses its connections again', async () => {
    const ports = new Set<number | undefined>();
    using server = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      sse(response, START, ...END);
      response.end();
    });
    const model = modelOf(server.url);
    for (let call = 0; call < 20; call += 1) for await (const event of ask(model)) void event;
    // The one before may still be ending while the next call begins.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it('goes through a proxy where one is named, but for the hosts that need none', async () => {
    using server = await serve((_request, response) => {
      sse(response, START, ...END);
      response.end();
    });
    const seen: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      seen.push(incoming.url ?? '');
      incoming.pipe(
        httpRequest(incoming.url ?? '', { method: incoming.method, headers: incoming.headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        }),
      );
    });
    proxy.on('connect', (incoming, socket, head) => {
      seen.push(incoming.url ?? '');
      const { hostname, port } = new URL(`http://${incoming.url}`);
      const target = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.write(head);
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const http = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      for await (const event of ask(modelOf(server.url, { http }))) void event;
      expect(seen.length).toBe(1);
      expect(seen[0]).toContain(new URL(server.url).port);
      for await (const event of ask(modelOf(server.url, { http, no: '127.0.0.1' }))) void event;
      expect(seen.length).toBe(1);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it('refuses a certificate that nobody signed', async () => {
    const fetch = openPoolFetch(undefined);
    const server = createNetServer((socket) => socket.end('not TLS'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await expect(fetch(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)).rejects.toMatchObject({
      code: expect.stringMatching(/SSL|TLS|ECONNRESET/u) as string,
    });
    server.close();
  });
});
