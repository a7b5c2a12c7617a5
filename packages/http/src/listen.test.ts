import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { start, until } from './harness.ts';
import { countConnections, LIMITS } from './listen.ts';

/** Sockets that are still open after the server had its say. */
const dialMany = async (port: number, count: number): Promise<readonly Socket[]> => {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return sockets;
};
const openOf = (sockets: readonly Socket[]): number => sockets.filter(({ readyState }) => readyState === 'open').length;

describe('[H9] limits of connections', () => {
  it('give headers 10 s, a whole request 30 s, and look often enough to mean it', () => {
    expect(LIMITS).toEqual({ headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2000 });
  });

  it('close what is beyond the share of one address, and count it no more when it has gone', async () => {
    const isExempt = new Set<string>();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const total = countConnections(server, { perAddress: 3, isExempt: (address) => isExempt.has(address) });
    const { port } = server.address() as AddressInfo;
    const first = await dialMany(port, 5);
    await until(() => openOf(first) === 3);
    expect(total()).toBe(3);
    for (const socket of first) socket.destroy();
    await until(() => total() === 0);
    const again = await dialMany(port, 3);
    await until(() => total() === 3);
    expect(openOf(again)).toBe(3);
    isExempt.add('127.0.0.1');
    const more = await dialMany(port, 4);
    await until(() => total() === 7);
    for (const socket of [...again, ...more]) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('close what is beyond the whole, whoever comes', async () => {
    await using running = await start([], { maxConnections: 2 });
    const sockets = await dialMany(running.port, 4);
    await until(() => openOf(sockets) === 2);
    for (const socket of sockets) socket.destroy();
  });
});
