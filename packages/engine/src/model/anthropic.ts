import type { Clock } from '@cloutagent/kit';
import type Anthropic from '@anthropic-ai/sdk';
import type { Middleware } from '@anthropic-ai/sdk/core/middleware';
import type { MessageCreateParamsStreaming } from '@anthropic-ai/sdk/resources/messages';
import { openAccumulator } from './accumulate.ts';
import { toModelCallError, type Redact } from './anthropic-error.ts';
import { ModelCallError, type ModelEvent, type ModelPort, type ModelRequest } from './port.ts';

export interface AnthropicOptions {
  /** Server that speaks the Messages API, without `/v1`. */
  readonly baseUrl: string;
  /** undefined: every call fails with MODEL_KEY_MISSING, nothing is sent. */
  readonly apiKey: string | undefined;
  readonly clock: Clock;
  /** Name under which token counts are learned; `baseUrl`. For a server whose address is another each time. */
  readonly source?: string;
  /** Milliseconds without a single byte, headers included, after which a call is given up; 60,000. */
  readonly idleMs?: number;
}

/** Longest answer in bytes: 128,000 tokens at some 150 bytes an event, and as much again. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Characters from which a key is hidden in texts: a shorter one is no secret, but may be a common word. */
const SHORTEST_KEY = 8;

/**
 * Claude over `@anthropic-ai/sdk`, one attempt a call. Its raw event iterator is used because the SDK's own message stream
 * reads without backpressure and hides an answer that was cut; its retries are off because each attempt is paid apart.
 */
export const createAnthropicModel = (options: AnthropicOptions): ModelPort => {
  const { apiKey, baseUrl } = options;
  const redact: Redact = (text) =>
    apiKey === undefined || apiKey.length < SHORTEST_KEY ? text : text.replaceAll(apiKey, '[key]');
  let client: Promise<Anthropic> | undefined;
  return {
    source: options.source ?? baseUrl,
    stream: (request, call) => {
      if (apiKey === undefined || apiKey === '') {
        throw new ModelCallError('MODEL_KEY_MISSING', 'No API key is set', { billing: 'none', retryable: false });
      }
      client ??= openClient(baseUrl, apiKey);
      return streamCall(client, request, call, { clock: options.clock, idleMs: options.idleMs ?? 60_000, redact });
    },
  };
};

/** Loaded on the first call: the SDK costs a tenth of a second that most commands do not need. */
const openClient = async (baseURL: string, apiKey: string): Promise<Anthropic> => {
  const { default: Sdk } = await import('@anthropic-ai/sdk');
  return new Sdk({
    baseURL,
    apiKey,
    maxRetries: 0,
    openTelemetry: false,
    // It writes to the console, warnings about broken events with their text among them.
    logLevel: 'off',
  });
};

interface CallDeps {
  readonly clock: Clock;
  readonly idleMs: number;
  readonly redact: Redact;
}

async function* streamCall(
  opening: Promise<Anthropic>,
  request: ModelRequest,
  call: { readonly signal: AbortSignal; readonly idempotencyKey: string },
  deps: CallDeps,
): AsyncGenerator<ModelEvent> {
  const client = await opening;
  if (call.signal.aborted) {
    throw new ModelCallError('MODEL_UNAVAILABLE', 'The call was cancelled before it was sent', {
      billing: 'none',
      retryable: false,
    });
  }
  const watch = watchIdle(deps.clock, deps.idleMs, call.signal);
  let sent = false;
  const onSend = (): void => {
    sent = true;
  };
  try {
    const { data: events, request_id: requestId } = await client.messages
      .create(toParams(request), {
        signal: watch.signal,
        headers: { 'idempotency-key': call.idempotencyKey },
        middleware: [tap(onSend, watch.touch)],
      })
      .withResponse();
    const answer = openAccumulator();
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const step = answer.add(next.value);
        // A slow reader holds the stream up by backpressure; that silence is not the server's.
        watch.pause();
        const usage = step.type === 'start' ? answer.usage() : null;
        if (usage !== null) yield { type: 'start', usage, requestId: requestId ?? null };
        if (step.type === 'text') yield step;
        watch.resume();
      }
    } finally {
      await iterator.return?.();
    }
    const whole = answer.answer(requestId ?? null);
    // On abort the iterator just ends, and so it does when the server closes early.
    if (whole === undefined) throw new Error('it ended before it was complete');
    yield { type: 'end', answer: whole };
  } catch (error) {
    if (watch.expired()) {
      throw new ModelCallError('MODEL_UNAVAILABLE', `The model server was silent for ${deps.idleMs / 1000} s`, {
        billing: 'unknown',
        retryable: true,
      });
    }
    throw toModelCallError(error, deps.redact, deps.clock.now(), sent);
  } finally {
    watch.end();
  }
}

/** The port's blocks are the API's own in a looser type, sent back as they came; this is where they leave. */
const toParams = (request: ModelRequest): MessageCreateParamsStreaming => {
  const { model, system, messages, tools, maxTokens } = request;
  const params = {
    model,
    max_tokens: maxTokens,
    stream: true,
    ...(system === '' ? {} : { system }),
    messages,
    ...(tools.length === 0 ? {} : { tools }),
  };
  return params as unknown as MessageCreateParamsStreaming;
};

interface IdleWatch {
  readonly signal: AbortSignal;
  /** Bytes arrived. */
  touch(): void;
  /** The reader is busy: silence does not count. */
  pause(): void;
  /** The reader waits for more. */
  resume(): void;
  expired(): boolean;
  end(): void;
}

/** Aborts `signal` after `idleMs` of silence: the SDK's own timeout covers the headers only. */
const watchIdle = (clock: Clock, idleMs: number, outer: AbortSignal): IdleWatch => {
  const inner = new AbortController();
  const timer = new AbortController();
  let seen = clock.monotonic();
  let paused = false;
  let expired = false;
  const onAbort = (): void => inner.abort(outer.reason);
  outer.addEventListener('abort', onAbort, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const silent = paused ? 0 : clock.monotonic() - seen;
      if (silent >= idleMs) {
        expired = true;
        inner.abort();
        return;
      }
      await clock.sleep(idleMs - silent, timer.signal);
    }
  };
  // Ends by `end()`, which aborts its sleep.
  void watch().catch(() => undefined);
  return {
    signal: inner.signal,
    touch: () => {
      seen = clock.monotonic();
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      seen = clock.monotonic();
    },
    expired: () => expired,
    end: () => {
      timer.abort(new Error('the call is over'));
      outer.removeEventListener('abort', onAbort);
    },
  };
};

/** Reports every chunk, because the SDK swallows the pings by which a server shows that it is alive. */
const tap =
  (onSend: () => void, onBytes: () => void): Middleware =>
  async (request, next) => {
    onSend();
    const response = await next(request);
    onBytes();
    if (response.body === null) return response;
    let bytes = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        onBytes();
        bytes += chunk.byteLength;
        if (bytes > MAX_ANSWER_BYTES) controller.error(new Error(`it is longer than ${MAX_ANSWER_BYTES} bytes`));
        else controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  };
