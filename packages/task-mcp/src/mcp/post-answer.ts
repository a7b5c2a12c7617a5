import type { Reply } from '@cloutagent/http';
import type { JSONRPCMessage, JSONRPCResponse } from './sdk.ts';
import type { Sink } from './channel.ts';
import { MessageStream } from './message-stream.ts';
import { CODE, type Era } from './wire.ts';

/** Heads of every stream of messages. */
export const STREAM_HEADERS = {
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};

/** HTTP status of answers that the protocol gave before a handler saw the request (2026-07-28, transports). */
const EARLY_STATUS: Readonly<Record<number, number>> = {
  [CODE.parse]: 400,
  [CODE.invalidRequest]: 400,
  [CODE.methodNotFound]: 404,
  [CODE.headerMismatch]: 400,
  [CODE.unsupportedVersion]: 400,
};

const statusOf = (answer: JSONRPCResponse, early: boolean): number => {
  if (!('error' in answer)) return 200;
  // The one error whose status does not depend on where it came from.
  if (answer.error.code === CODE.missingCapability) return 400;
  return early ? (EARLY_STATUS[answer.error.code] ?? 200) : 200;
};

export interface PostAnswerOptions {
  readonly era: Era;
  /** Requests in the body; `batch` where they came in an array. */
  readonly requests: number;
  readonly batch: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The stream that messages go to once there are any, made when it is needed. */
  readonly openStream?: () => MessageStream;
  /** Called when the reader of a stream has left before its end. */
  readonly onReaderLost?: () => void;
}

/**
 * The answer to a POST, in the form that its course asks for: plain JSON while the requests only bring their results,
 * an event stream from the first message on that comes before them.
 */
export class PostAnswer implements Sink {
  readonly reply: Promise<Reply>;
  readonly #options: PostAnswerOptions;
  readonly #answers: JSONRPCResponse[] = [];
  #resolve: (reply: Reply) => void = () => undefined;
  #open: number;
  #stream: MessageStream | undefined;

  constructor(options: PostAnswerOptions) {
    this.#options = options;
    this.#open = options.requests;
    this.reply = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get streams(): boolean {
    return this.#stream !== undefined;
  }

  emit(message: JSONRPCMessage): void {
    this.stream().push(message);
  }

  settle(answer: JSONRPCResponse, early: boolean): void {
    this.#open -= 1;
    if (this.#stream !== undefined) {
      this.#stream.push(answer);
      if (this.#open === 0) this.#stream.end();
      return;
    }
    this.#answers.push(answer);
    if (this.#open > 0) return;
    const { batch, era, headers } = this.#options;
    this.#resolve({
      kind: 'json',
      status: era === 'modern' ? statusOf(answer, early) : 200,
      ...(headers === undefined ? {} : { headers }),
      body: batch ? this.#answers : answer,
    });
  }

  /** Makes a stream of the answer, if it is none yet. */
  stream(): MessageStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#options.openStream?.() ?? new MessageStream();
    this.#stream = stream;
    for (const answer of this.#answers) stream.push(answer);
    const { headers, onReaderLost } = this.#options;
    this.#resolve({
      kind: 'stream',
      contentType: 'text/event-stream',
      headers: { ...STREAM_HEADERS, ...headers },
      heartbeat: 'comment',
      onDrain: 'finish',
      run: async (writer) => {
        try {
          await stream.run(writer);
        } finally {
          if (writer.signal.aborted) onReaderLost?.();
        }
      },
    });
    return stream;
  }
}
