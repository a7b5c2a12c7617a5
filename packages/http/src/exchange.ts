import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import {
  API_VERSION,
  errorSpec,
  toErrorBody,
  type CloutError,
  type ErrorEnvelope,
  type Principal,
} from '@cloutagent/contract';
import { toIso, type Clock } from '@cloutagent/kit';
import { hasBody } from './body.ts';
import type { Timed } from './deadline.ts';
import type { Head } from './head.ts';
import type { Stop } from './stop.ts';
import { Stream, type StreamSet } from './stream.ts';
import type { FormatError, Log, Reply } from './types.ts';

/** How long, and how much of, a refused body is read and thrown away so that its sender can see the answer. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 32 * 1024 * 1024;
/** A shorter text leaves in one piece with the head; a longer one is encoded once, for its length and for the socket. */
const ENCODED_FROM = 4096;
/** A reader that takes not one byte for so long has gone; a stream's is judged by its heartbeats. */
const SLOW_READER_MS = 10_000;
/** Below this a body that nobody read is simply skipped and the connection kept. */
const SKIP_BYTES = 64 * 1024;

/** One request and its answer, and what becomes known of them on the way. */
export interface Exchange extends Timed {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Aborts the work behind this request. */
  readonly stop: Stop;
  /** Headers of the answer. */
  readonly head: Head;
  /** The client waits for `100 Continue` and was not told to go on. */
  expectsContinue: boolean;
  /** Address of the caller. */
  readonly address: string;
  readonly secure: boolean;
  /** Method and path of the route, as declared. */
  label: { readonly method: string; readonly route: string };
  principal?: Principal;
  /** Code of the error that was answered. */
  code?: string;
  /** Milliseconds until the head of a stream was sent. */
  headMs?: number;
  /** Rejects what the front waits for. */
  fail?: ((error: CloutError) => void) | undefined;
  notes?: Record<string, string | number | boolean>;
}

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly streams: StreamSet;
  /** The server stops: every connection ends with its answer. */
  readonly draining: () => boolean;
}

/** A body is still on its way that is too large, or of unknown size, to be skipped. */
const bodyInTheWay = ({ request, expectsContinue }: Exchange): boolean =>
  hasBody(request) &&
  !request.complete &&
  (expectsContinue ||
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length']) > SKIP_BYTES);

type Body = Extract<Reply, { kind: 'text' }>['body'];

const piecesOf = (body: Body | Buffer): readonly (string | Buffer)[] =>
  typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body;

const lengthOf = (body: Body | Buffer): number =>
  typeof body === 'string' || Buffer.isBuffer(body)
    ? Buffer.byteLength(body)
    : body.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);

/** Several pieces leave in one call of the system. */
const endWith = (response: ServerResponse, body: Body | Buffer, length: number): void => {
  if (typeof body === 'string') {
    // As many bytes as characters: plain ASCII, which is copied faster as what it is.
    response.end(body, length === body.length ? 'latin1' : 'utf8');
    return;
  }
  if (Buffer.isBuffer(body)) {
    response.end(body);
    return;
  }
  response.cork();
  for (const piece of body) response.write(piece);
  response.end();
};

/**
 * Answers while the body is still coming. Closing at once would reset the connection and the sender would never see
 * why, so the answer goes out first and the rest is read into nothing for a bounded while.
 */
const sendAndLinger = (
  { request, response, head }: Exchange,
  { status, payload }: { readonly status: number; readonly payload: Body | Buffer },
  clock: Clock,
): void => {
  const patience = new AbortController();
  let received = 0;
  const finish = (): void => {
    if (patience.signal.aborted) return;
    patience.abort();
    response.end();
  };
  head.set('Connection', 'close');
  head.send(response, status);
  for (const piece of piecesOf(payload)) response.write(piece);
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > LINGER_BYTES) finish();
  });
  request.on('end', finish).on('close', finish).on('error', finish);
  request.resume();
  clock.sleep(LINGER_MS, patience.signal).then(finish, () => undefined);
};

const sendBytes = (
  exchange: Exchange,
  deps: ExchangeDeps,
  status: number,
  contentType: string | undefined,
  body: Body,
): void => {
  const { response, head } = exchange;
  const whole = typeof body === 'string' || body.some((piece) => typeof piece !== 'string') ? body : body.join('');
  const payload = typeof whole === 'string' && whole.length >= ENCODED_FROM ? Buffer.from(whole) : whole;
  if (contentType !== undefined) head.set('Content-Type', contentType);
  const length = lengthOf(payload);
  if (status !== 204 && status !== 304) head.set('Content-Length', String(length));
  if (bodyInTheWay(exchange)) {
    sendAndLinger(exchange, { status, payload }, deps.clock);
    return;
  }
  if (deps.draining()) head.set('Connection', 'close');
  head.send(response, status);
  endWith(response, payload, length);
  // Node ends the connection when nothing more was taken for so long; without it what was not taken is kept for ever.
  if (response.writableLength > 0) response.setTimeout(SLOW_READER_MS);
};

/** Last words of a stream whose work failed or took too long. */
const tellFailure = async (
  stream: Stream,
  reply: Extract<Reply, { kind: 'stream' }>,
  { error, requestId, ts }: { readonly error: unknown; readonly requestId: string; readonly ts: number },
): Promise<void> => {
  if (reply.onFailure === undefined) {
    stream.send('error', { apiVersion: API_VERSION, error: toErrorBody(error), requestId, ts });
    return;
  }
  // A reader that is gone or stuck must not keep the stream from its end.
  await Promise.race([reply.onFailure(stream, error), setImmediateAsync()]).catch(() => undefined);
};

/** Rejects when the time is over. */
const lateness = (exchange: Exchange): Promise<never> => {
  const late = new Promise<never>((_resolve, reject) => {
    exchange.fail = reject;
  });
  // When that comes after the end there is nobody left to wait for it.
  late.catch(() => undefined);
  return late;
};

const runStream = async (
  exchange: Exchange,
  deps: ExchangeDeps,
  reply: Extract<Reply, { kind: 'stream' }>,
): Promise<void> => {
  const { response, request, stop, requestId, head } = exchange;
  head.set('Content-Type', reply.contentType);
  if (deps.draining()) head.set('Connection', 'close');
  head.send(response, reply.status ?? 200);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  exchange.headMs = deps.clock.monotonic() - exchange.startedMs;
  exchange.timed &&= reply.timed === true;
  // What an open stream holds on to lies there ten thousand times.
  exchange.fail = undefined;
  const late = exchange.timed ? lateness(exchange) : undefined;
  const stream = new Stream(response, reply, stop);
  deps.streams.add(stream);
  if (deps.draining() && !stream.finishesOnDrain) stream.shutdown(deps.clock.now());
  try {
    await (late === undefined ? reply.run(stream) : Promise.race([reply.run(stream), late]));
  } catch (error) {
    // After its close a stream's writes reject; only an error of the work itself is worth a word.
    if (!stream.closed) {
      deps.log('error', 'stream failed', { requestId, error });
      exchange.code = toErrorBody(error).code;
      await tellFailure(stream, reply, { error, requestId, ts: deps.clock.now() });
    }
  } finally {
    deps.streams.delete(stream);
    stream.end();
  }
};

/** Sends a reply; resolves when it is handed to the socket, for a stream when that ends. */
export const sendReply = async (exchange: Exchange, deps: ExchangeDeps, reply: Reply): Promise<void> => {
  // Serialised first: a body that cannot be must still become a proper error.
  if (reply.kind === 'destroy') {
    exchange.response.destroy();
    return;
  }
  const body = reply.kind === 'json' ? JSON.stringify(reply.body) : reply.kind === 'text' ? reply.body : '';
  const mark = exchange.head.mark();
  try {
    exchange.head.setAll(reply.headers);
    if (reply.kind === 'stream') await runStream(exchange, deps, reply);
    else {
      const type = reply.kind === 'json' ? 'application/json' : reply.kind === 'text' ? reply.contentType : undefined;
      sendBytes(exchange, deps, reply.status ?? 200, type, body);
    }
  } catch (error) {
    // A header that Node refuses must not be in the answer that says so.
    exchange.head.rewind(mark);
    throw error;
  }
};

const envelope =
  (clock: Clock): FormatError =>
  (status, error, { requestId }) => {
    const body: ErrorEnvelope = { apiVersion: API_VERSION, error, requestId, timestamp: toIso(clock.now()) };
    return { kind: 'json', status, body };
  };

/** Answers with an error; a format that itself fails falls back to the envelope. */
export const sendError = async (
  exchange: Exchange,
  deps: ExchangeDeps,
  error: unknown,
  format: FormatError | undefined,
): Promise<void> => {
  const { request, response, requestId, head } = exchange;
  const body = toErrorBody(error);
  const { status } = errorSpec(body.code);
  // What has a name is the failure of somebody else, and the caller is told; a defect is ours.
  if (status >= 500 && body.code !== 'SHUTTING_DOWN')
    deps.log(status === 500 ? 'error' : 'warn', 'request failed', { requestId, code: body.code, error });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (status === 401) head.set('WWW-Authenticate', 'Bearer');
  if (body.retryAfter !== undefined) head.set('Retry-After', String(body.retryAfter));
  const plain = envelope(deps.clock);
  const { clock } = deps;
  const receivedAt = Math.round(clock.now() - (clock.monotonic() - exchange.startedMs));
  const context = { requestId, headers: request.headers, receivedAt };
  let reply: Reply;
  try {
    reply = (format ?? plain)(status, body, context);
  } catch (cause) {
    deps.log('error', 'error format failed', { requestId, error: cause });
    reply = plain(status, body, context);
  }
  await sendReply(exchange, deps, reply);
};
