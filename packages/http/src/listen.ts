import { STATUS_CODES, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from './types.ts';

/** Time for the headers, and for the whole request; what a stream takes to answer does not count. */
export const LIMITS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Node looks for late connections this often; its default of 30 s would triple the first limit.
  connectionsCheckingInterval: 2_000,
};
/** 10,000 idle streams fit in 256 MiB; beyond that a new socket costs the ones that are there. */
const MAX_CONNECTIONS = 10_240;

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A request that is no HTTP is answered without a handler; a socket that cannot be written is dropped. */
const refuseBroken = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n`;
  socket.end(`${head}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n`);
};

export const setLimits = (server: Server, maxConnections: number | undefined, log: Log): void => {
  server.maxConnections = maxConnections ?? MAX_CONNECTIONS;
  server.on('clientError', refuseBroken);
  server.on('error', (error) => {
    // Before it listens the caller of `listenOn` gets the error, and says it in words of its own.
    if (server.listening) log('error', 'server error', { error });
  });
};

/** Resolves with the real port; rejects where the address cannot be bound. */
export const listenOn = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

/** As many as the largest real client opens, and too few to starve the others. */
const MAX_CONNECTIONS_PER_ADDRESS = 1024;

/**
 * Counts open sockets and closes those of one address beyond its share. Addresses that stand for many callers, this
 * machine and trusted proxies, are not bounded.
 */
export const countConnections = (
  server: Server,
  options: { readonly perAddress: number | undefined; readonly isExempt: (address: string) => boolean },
): (() => number) => {
  const limit = options.perAddress ?? MAX_CONNECTIONS_PER_ADDRESS;
  const byAddress = new Map<string, number>();
  let total = 0;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const mine = (byAddress.get(address) ?? 0) + 1;
    if (mine > limit && !options.isExempt(address)) {
      socket.destroy();
      return;
    }
    byAddress.set(address, mine);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  });
  return () => total;
};
