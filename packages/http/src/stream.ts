import type { ServerResponse } from 'node:http';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import { CloutError } from '@cloutagent/contract';
import { encodeNdjson, encodeSse, encodeSseComment, type Clock, type SseEvent } from '@cloutagent/kit';
import type { Stop } from './stop.ts';
import type { Reply, StreamWriter } from './types.ts';

/** What a reader may leave unread before it is cut off; it resumes with Last-Event-ID. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Seed 002 "SSE Event Types". */
const HEARTBEAT_MS = 25_000;
/** How long a client waits before it comes back after a stop. */
const RETRY_MS = 2_000;

/** Each write is a system call of 10 µs: more in one turn of the loop would make the others wait. */
const STREAMS_A_TURN = 250;

/** What one sweep sends, encoded once for all streams. */
interface Beat {
  readonly event: string;
  readonly comment: string;
}

export type StreamReply = Extract<Reply, { kind: 'stream' }>;

/** One open stream: owns what is written to its response until it ends. */
export class Stream implements StreamWriter {
  readonly finishesOnDrain: boolean;
  readonly #response: ServerResponse;
  readonly #stop: Stop;
  readonly #reply: StreamReply;
  #closed = false;
  #drained: Promise<void> | undefined;
  #blockedSweeps = 0;

  constructor(response: ServerResponse, reply: StreamReply, stop: Stop) {
    this.#response = response;
    this.#reply = reply;
    this.#stop = stop;
    this.finishesOnDrain = reply.onDrain === 'finish';
    response.on('close', () => {
      this.#closed = true;
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get closed(): boolean {
    return this.#closed;
  }

  sse(event: SseEvent): Promise<void> {
    return this.#write(encodeSse(event));
  }

  frames(text: string): Promise<void> {
    return this.#write(text);
  }

  comment(text: string): Promise<void> {
    return this.#write(encodeSseComment(text));
  }

  ndjson(value: unknown): Promise<void> {
    return this.#write(encodeNdjson(value));
  }

  destroy(): void {
    this.#closed = true;
    this.#response.destroy();
  }

  /** Ends in an orderly way. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#response.end();
  }

  /** Sends one event in the stream's own format: `event: NAME` or a line with `type`. */
  send(name: string, data: Readonly<Record<string, unknown>>, retry?: number): void {
    if (this.#closed) return;
    const lines = this.#reply.contentType === 'application/x-ndjson';
    const written = lines
      ? this.ndjson({ type: name, ...data })
      : this.sse({ event: name, data: JSON.stringify(data), ...(retry === undefined ? {} : { retry }) });
    // A stream that breaks here has closed itself; there is nobody left to tell.
    written.catch(() => undefined);
  }

  /** Tells the reader that the server stops, then ends. */
  shutdown(ts: number): void {
    if (this.#closed) return;
    this.send('shutdown', { ts }, RETRY_MS);
    this.end();
    this.#stop.abort(new CloutError('SHUTTING_DOWN', 'The server is stopping'));
  }

  /** One sweep of the shared timer. A reader that took nothing between two sweeps is gone without a word. */
  beat(beat: Beat): void {
    this.#blockedSweeps = this.#drained === undefined ? 0 : this.#blockedSweeps + 1;
    if (this.#blockedSweeps > 1) this.destroy();
    if (this.#closed || this.#reply.contentType !== 'text/event-stream') return;
    const { heartbeat } = this.#reply;
    if (heartbeat === undefined || heartbeat === false) return;
    // No promise for each of ten thousand readers; only one that is stuck is waited for.
    if (this.#drained === undefined && this.#response.write(heartbeat === true ? beat.event : beat.comment)) return;
    this.#waitForDrain().catch(() => undefined);
  }

  #write(text: string): Promise<void> {
    const written = this.#push(text);
    // Whoever does not wait must not bring the process down with an unhandled rejection.
    written.catch(() => undefined);
    return written;
  }

  #push(text: string): Promise<void> {
    if (this.#closed) return Promise.reject(this.#reason());
    if (this.#response.writableLength > MAX_UNSENT_BYTES) {
      this.destroy();
      return Promise.reject(this.#reason());
    }
    if (this.#response.write(text)) return Promise.resolve();
    return this.#waitForDrain();
  }

  #waitForDrain(): Promise<void> {
    this.#drained ??= new Promise<void>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#response.off('drain', onDrain).off('close', onClose);
        this.#drained = undefined;
        finish();
      };
      const onDrain = (): void => settle(resolve);
      const onClose = (): void => settle(() => reject(this.#reason()));
      this.#response.on('drain', onDrain).on('close', onClose);
    });
    return this.#drained;
  }

  #reason(): Error {
    return this.signal.reason instanceof Error ? this.signal.reason : new Error('The stream is closed');
  }
}

/** All open streams and the one timer that beats for them; no timer runs while there is none. */
export class StreamSet {
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  #timer: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#streams.size;
  }

  add(stream: Stream): void {
    this.#streams.add(stream);
    if (this.#timer === undefined) void this.#sweep();
  }

  delete(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#timer?.abort();
    this.#timer = undefined;
  }

  /** Ends the streams; those that finish their work stay unless `all`. */
  shutdown(all: boolean): void {
    for (const stream of this.#streams) if (all || !stream.finishesOnDrain) stream.shutdown(this.#clock.now());
  }

  async #sweep(): Promise<void> {
    const timer = new AbortController();
    this.#timer = timer;
    while (!timer.signal.aborted) {
      try {
        await this.#clock.sleep(HEARTBEAT_MS, timer.signal);
      } catch {
        return;
      }
      await this.#beat();
    }
  }

  async #beat(): Promise<void> {
    const data = JSON.stringify({ ts: this.#clock.now() });
    const beat: Beat = { event: encodeSse({ event: 'heartbeat', data }), comment: encodeSseComment('ping') };
    let count = 0;
    for (const stream of this.#streams) {
      stream.beat(beat);
      count += 1;
      if (count % STREAMS_A_TURN === 0) await setImmediateAsync();
    }
  }
}
