import type { Server } from 'node:http';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import { CloutError } from '@cloutagent/contract';
import type { Clock, LinkedList } from '@cloutagent/kit';
import type { Exchange } from './exchange.ts';
import type { StreamSet } from './stream.ts';

/** Stops accepting, ends streams, lets requests finish; after `ms` what is left is aborted, answered and closed. */
export const stopFront = async (
  front: {
    readonly server: Server;
    readonly streams: StreamSet;
    readonly exchanges: LinkedList<Exchange>;
    readonly clock: Clock;
  },
  ms: number,
): Promise<void> => {
  const { server, streams, exchanges, clock } = front;
  // Calls back with an error where the server never listened: then there is nothing to close.
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  streams.shutdown(false);
  const patience = new AbortController();
  const late = clock.sleep(ms, patience.signal).then(
    () => true,
    () => false,
  );
  if (await Promise.race([closed.then(() => false), late])) {
    streams.shutdown(true);
    for (const exchange of exchanges.values())
      exchange.expire(new CloutError('SHUTTING_DOWN', 'The server is stopping'));
    // Two turns of the loop, so that last words and 503 answers reach their sockets.
    await setImmediateAsync();
    await setImmediateAsync();
    server.closeAllConnections();
  }
  patience.abort();
  await closed;
};
