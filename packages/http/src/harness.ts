/** What the tests of this room stand on; listed in no index. */
import { connect } from 'node:net';
import type { Clock } from '@cloutagent/kit';
import { systemClock } from '@cloutagent/kit';
import { createFront } from './front.ts';
import type { Front, FrontOptions, Route, StreamWriter } from './types.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Running extends AsyncDisposable {
  readonly front: Front;
  readonly url: string;
  readonly port: number;
  readonly logs: LogLine[];
}

/** A front with its log in memory, on a free port of loopback; closed at the end of the scope. */
export const start = async (routes: readonly Route[], options: Partial<FrontOptions> = {}): Promise<Running> => {
  const logs: LogLine[] = [];
  const front = createFront({
    routes,
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    clock: systemClock,
    log: (level, message, fields = {}) => logs.push({ level, message, fields }),
    ...options,
  });
  const { url, port } = await front.listen({ port: 0, host: '127.0.0.1' });
  return {
    front,
    url,
    port,
    logs,
    async [Symbol.asyncDispose]() {
      front.server.closeAllConnections();
      await front.drain(0);
    },
  };
};

/** Sends bytes as they are and returns all that came back until the server closed. */
export const raw = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });

/** A clock that stands still until `advance`; whoever sleeps is woken in order. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Sleeps that have not ended. */
  sleepers(): number;
}

export const manualClock = (start = 1_700_000_000_000): ManualClock => {
  let time = 0;
  const sleeping = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => start + time,
    monotonic: () => time,
    sleepers: () => sleeping.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: time + ms, wake: () => resolve() };
        signal?.addEventListener(
          'abort',
          () => {
            sleeping.delete(sleeper);
            reject(new Error('aborted'));
          },
          { once: true },
        );
        sleeping.add(sleeper);
      }),
    advance(ms) {
      time += ms;
      for (const sleeper of [...sleeping].sort((a, b) => a.at - b.at)) {
        if (sleeper.at > time) continue;
        sleeping.delete(sleeper);
        sleeper.wake();
      }
    },
  };
};

/** Waits until the condition holds; the test's own time limit ends a wait in vain. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await systemClock.sleep(2);
};

/** Ends when the stream's reader is gone or the server stops. */
export const untilClosed = (writer: StreamWriter): Promise<void> =>
  new Promise((resolve) => {
    writer.signal.addEventListener('abort', () => resolve(), { once: true });
  });
