import {
  PerRequestHTTPServerTransport,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type McpServer,
  type MessageExtraInfo,
  type TransportSendOptions,
} from './sdk.ts';
import { CODE, isAnswer, MODERN_REVISION, type Era, type Incoming, type RequestId } from './wire.ts';

/** Where the messages of one request go. */
export interface Sink {
  /** A message while the request runs: progress, a log line, a question to the client. */
  emit(message: JSONRPCMessage): void;
  /** The answer. `early` where the protocol refused the request before any handler saw it. */
  settle(answer: JSONRPCResponse, early: boolean): void;
}

interface Pending {
  readonly id: RequestId;
  readonly sink: Sink;
}

/**
 * The one long-lived connection of a server instance, carrying the requests of any number of HTTP exchanges. Every
 * request gets an id of our own on its way in and its own one back on its way out, so that two callers that count from
 * 1 never meet. It extends the SDK's transport for one exchange because the SDK marks an instance as serving the
 * stateless era by the class of its transport; everything that class does is replaced.
 */
export class Channel extends PerRequestHTTPServerTransport {
  readonly sessionId?: string;
  readonly #pending = new Map<number, Pending>();
  readonly #extra: MessageExtraInfo | undefined;
  readonly #onLoose: (message: JSONRPCMessage) => void;
  #next = 0;
  #dispatching = false;
  #open = true;
  #protocolVersion: string | undefined;

  /** @param onLoose gets what belongs to no request: change notifications, questions of the server's own accord */
  constructor(era: Era, onLoose: (message: JSONRPCMessage) => void, sessionId?: string) {
    const classification = era === 'modern' ? { era, revision: MODERN_REVISION } : { era };
    super({ classification });
    // Legacy traffic is never classified: that is how the SDK knows it.
    this.#extra = era === 'modern' ? { classification } : undefined;
    this.#onLoose = onLoose;
    if (sessionId !== undefined) this.sessionId = sessionId;
  }

  /** The revision that the client and the server agreed on; undefined before that, and where nobody shook hands. */
  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  /** Requests that wait for their answer. */
  get busy(): number {
    return this.#pending.size;
  }

  /** Called by the SDK when the handshake is done. */
  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  override start(): Promise<void> {
    return Promise.resolve();
  }

  /** Hands a request to the server. @returns the function that cancels it; nothing comes after it was called */
  request(message: JSONRPCRequest, sink: Sink, extra?: MessageExtraInfo): (reason: string) => void {
    const id = this.#next;
    this.#next += 1;
    this.#pending.set(id, { id: message.id, sink });
    this.#dispatching = true;
    try {
      this.onmessage?.({ ...message, id }, extra === undefined ? this.#extra : { ...this.#extra, ...extra });
    } finally {
      this.#dispatching = false;
    }
    return (reason) => this.#cancel(id, reason);
  }

  /** Hands over what needs no answer. A cancellation finds its request by the id that the client gave it. */
  deliver({ message }: Extract<Incoming, { kind: 'notification' | 'response' }>): void {
    if ('method' in message && message.method === 'notifications/cancelled') {
      for (const [id, pending] of this.#pending) {
        const reason = message.params?.['reason'];
        if (pending.id === message.params?.['requestId']) this.#cancel(id, typeof reason === 'string' ? reason : '');
      }
      return;
    }
    this.onmessage?.(message, this.#extra);
  }

  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const id = isAnswer(message) ? message.id : options?.relatedRequestId;
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
    if (!isAnswer(message)) {
      if (pending === undefined) this.#onLoose(message);
      else pending.sink.emit(message);
    } else if (pending !== undefined && typeof id === 'number') {
      this.#pending.delete(id);
      pending.sink.settle({ ...message, id: pending.id }, this.#dispatching);
    }
    return Promise.resolve();
  }

  override close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    this.onclose?.();
    const error = { code: CODE.refused, message: 'The session has ended' };
    for (const { id, sink } of this.#pending.values()) sink.settle({ jsonrpc: '2.0', id, error }, true);
    this.#pending.clear();
    return Promise.resolve();
  }

  #cancel(id: number, reason: string): void {
    if (!this.#pending.delete(id)) return;
    this.onmessage?.(
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } },
      this.#extra,
    );
  }
}

/** A server instance and the channel that it listens on. */
export interface Instance {
  readonly mcp: McpServer;
  readonly channel: Channel;
}

export const openInstance = async (mcp: McpServer, channel: Channel): Promise<Instance> => {
  await mcp.connect(channel);
  return { mcp, channel };
};
