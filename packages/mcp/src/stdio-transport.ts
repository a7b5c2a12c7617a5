import { AsyncResource } from 'node:async_hooks';
import {
  deserializeMessage,
  serializeMessage,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { createLineReader } from './line-reader.ts';
import type { OwnedProcess } from './process.ts';

/** Largest message in either direction, over any transport: room for a big file in a tool result, and a bound on what one server can make us hold. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

export interface StdioTransport extends Transport {
  /** The SDK tells stdio by these two: there a silent or ended server is one that knows no `server/discover`. */
  readonly pid: number;
  readonly stderr: null;
  /** Why the process was given up by us, where that is so. */
  fault(): string | undefined;
}

/**
 * JSON-RPC, one message a line (MCP specification 2025-11-25, "stdio"). Lines that are no message are passed to
 * `onerror` and skipped, because servers print banners; an endless line ends the server.
 */
export const createStdioTransport = (child: OwnedProcess): StdioTransport => {
  const reader = createLineReader(MAX_LINE_BYTES);
  let fault: string | undefined;
  let closed = false;
  /** An answer is handled where its request was sent, so that a question in it is known to be about that call. */
  const senders = new Map<unknown, (answer: JSONRPCMessage) => void>();
  const deliver = (message: JSONRPCMessage): void => transport.onmessage?.(message);
  const onMessage = (message: JSONRPCMessage): void => {
    const id = 'method' in message ? undefined : message.id;
    const sender = senders.get(id) ?? deliver;
    senders.delete(id);
    sender(message);
  };
  const remember = (message: JSONRPCMessage): void => {
    if (!('method' in message)) return;
    if ('id' in message) senders.set(message.id, AsyncResource.bind(deliver));
    // Nobody answers what was taken back.
    else if (message.method === 'notifications/cancelled') senders.delete(message.params?.['requestId']);
  };

  const onEnd = (): void => {
    if (closed) return;
    closed = true;
    transport.onclose?.();
  };
  const onChunk = (chunk: Buffer): void => {
    if (closed) return;
    let lines: string[];
    try {
      lines = reader.push(chunk);
    } catch {
      fault = `it sent a line longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`;
      // Nothing of what follows is read, so that it cannot pile up here.
      child.stdout.destroy();
      onEnd();
      void child.stop();
      return;
    }
    for (const line of lines) {
      if (line.trim() === '') continue;
      const message = toMessage(line);
      if (message === undefined) transport.onerror?.(new Error(`Not a message: ${line.slice(0, 200)}`));
      else onMessage(message);
    }
  };

  const transport: StdioTransport = {
    pid: child.pid,
    stderr: null,
    fault: () => fault,
    start: () => {
      child.stdout.on('data', onChunk);
      // Without its stdout a server can answer nothing any more, even if it lives on.
      child.stdout.once('end', () => void child.stop());
      void child.ended.then(onEnd);
      return Promise.resolve();
    },
    send: (message) => {
      const line = serializeMessage(message);
      if (Buffer.byteLength(line) > MAX_LINE_BYTES) {
        return Promise.reject(new RangeError(`A message to the server may be ${MAX_LINE_BYTES} bytes long`));
      }
      remember(message);
      return new Promise((resolve, reject) => {
        child.stdin.write(line, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: async () => {
      onEnd();
      await child.stop();
    },
  };
  return transport;
};

const toMessage = (line: string): JSONRPCMessage | undefined => {
  try {
    return deserializeMessage(line);
  } catch {
    return undefined;
  }
};
