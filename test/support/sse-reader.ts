import { setTimeout as sleep } from 'node:timers/promises';
import { decodeSse, type SseEvent } from '@cloutagent/kit';
import { until } from './processes.ts';

/** Reads an event stream as a browser does: comes back with the last id that it has, and believes whatever it is sent. */
export interface SseReader {
  /** Everything that came, over all connections. */
  readonly events: readonly SseEvent[];
  /** Connections that the server has answered. */
  connections(): number;
  /** Resolves once so many more events are there, or the reader was closed. */
  more(count: number): Promise<void>;
  close(): Promise<void>;
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of body) yield decoder.decode(chunk, { stream: true });
}

/** @param isLast ends the reading with the event that it holds for */
export const openSseReader = (
  address: string,
  token: string,
  isLast: (event: SseEvent) => boolean = () => false,
): SseReader => {
  const events: SseEvent[] = [];
  const closing = new AbortController();
  let connections = 0;
  let id = '';
  const connect = async (): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, ...(id === '' ? {} : { 'last-event-id': id }) };
    const response = await fetch(address, { headers, signal: closing.signal });
    if (!response.ok || response.body === null) throw new Error(`${address} answered ${response.status}`);
    connections += 1;
    for await (const event of decodeSse(textOf(response.body))) {
      events.push(event);
      id = event.id ?? id;
      if (isLast(event)) closing.abort();
    }
  };
  const reading = (async () => {
    while (!closing.signal.aborted) {
      // The server is away, or has just died.
      await connect().catch(() => undefined);
      await sleep(20);
    }
  })();
  return {
    events,
    connections: () => connections,
    more: (count) => {
      const target = events.length + count;
      return until(() => events.length >= target || closing.signal.aborted);
    },
    close: async () => {
      closing.abort();
      await reading;
    },
  };
};
