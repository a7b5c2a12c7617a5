import type { StreamWriter } from '@cloutagent/http';
import type { SseEvent } from '@cloutagent/kit';
import type { JSONRPCMessage } from './sdk.ts';
import type { EventLog } from './event-log.ts';

/** Messages that a reader has not taken yet; one that is so far behind is let go and may come back with its last id. */
const MAX_WAITING = 1000;
/** How long a client waits before it fetches the rest of a stream that we ended early. */
const RETRY_MS = 500;

interface Reader {
  readonly waiting: SseEvent[];
  wake: () => void;
  gone: boolean;
}

/**
 * Messages on their way to one reader, as events of a stream. With a log each event has an id, and a reader that lost
 * its connection is followed by one that goes on behind that id; without one, what comes after the reader left is lost.
 */
export class MessageStream {
  readonly #log: EventLog<MessageStream> | undefined;
  readonly #id: number;
  #reader: Reader | undefined;
  #early: SseEvent[] | undefined = [];
  #ended = false;

  constructor(log?: EventLog<MessageStream>) {
    this.#log = log;
    this.#id = log?.openStream(this) ?? 0;
  }

  get hasReader(): boolean {
    return this.#reader !== undefined;
  }

  push(message: JSONRPCMessage | object): void {
    this.#send(JSON.stringify(message));
  }

  /** An event without a message: its id lets the reader come back before anything was said. */
  prime(): void {
    if (this.#log !== undefined) this.#send('', { retry: RETRY_MS });
  }

  /** An event of another name, such as `endpoint`. */
  announce(event: string, data: string): void {
    this.#hand({ event, data });
  }

  /** Nothing comes after what was pushed. */
  end(): void {
    this.#ended = true;
    this.#log?.closeStream(this.#id);
    this.#reader?.wake();
  }

  /** Sends the reader away; the stream goes on, and whoever comes with the last id gets the rest. */
  dismiss(): void {
    if (this.#reader === undefined) return;
    this.#reader.gone = true;
    this.#reader.wake();
  }

  /** Writes to a reader until the stream ends or the reader leaves; a newer reader takes the place of an older one. */
  async run(writer: StreamWriter, missed: readonly SseEvent[] = []): Promise<void> {
    this.dismiss();
    const reader: Reader = {
      waiting: [...missed, ...(this.#early ?? [])],
      wake: () => undefined,
      gone: false,
    };
    this.#early = undefined;
    this.#reader = reader;
    const leave = (): void => {
      reader.gone = true;
      reader.wake();
    };
    writer.signal.addEventListener('abort', leave, { once: true });
    try {
      while (!writer.signal.aborted) {
        const event = reader.waiting.shift();
        if (event !== undefined) await writer.sse(event);
        else if (reader.gone || this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
      }
    } finally {
      writer.signal.removeEventListener('abort', leave);
      if (this.#reader === reader) this.#reader = undefined;
    }
  }

  #send(data: string, more: { readonly retry?: number } = {}): void {
    const id = this.#log?.append(this.#id, data);
    this.#hand({ event: 'message', data, ...more, ...(id === undefined ? {} : { id }) });
  }

  #hand(event: SseEvent): void {
    const reader = this.#reader;
    if (reader === undefined) {
      // Kept for the first reader, which is on its way; one that left asks the log.
      if (this.#early !== undefined && this.#early.length < MAX_WAITING) this.#early.push(event);
      return;
    }
    reader.waiting.push(event);
    if (reader.waiting.length > MAX_WAITING) reader.gone = true;
    reader.wake();
  }
}
