import type { Clock } from '@cloutagent/kit';
import type Anthropic from '@anthropic-ai/sdk';
import type { MessageCountTokensParams } from '@anthropic-ai/sdk/resources/messages';
import { openAccumulator } from './accumulate.ts';
import { toModelCallError, type Redact } from './anthropic-error.ts';
import { guardModel } from './guard.ts';
import { watchCall, type CallLimits } from './idle-watch.ts';
import { toParams } from './params.ts';
import { openPoolFetch, withTap, type ProxyAddresses } from './pool-fetch.ts';
import { ModelCallError, type ModelEvent, type ModelPort, type ModelRequest } from './port.ts';
import { profileOf, type ProviderProfile } from './profile.ts';

export interface AnthropicOptions {
  /** Server that speaks the Messages API, without `/v1`. */
  readonly baseUrl: string;
  /** undefined: every call fails with MODEL_KEY_MISSING, nothing is sent. */
  readonly apiKey: string | undefined;
  readonly clock: Clock;
  /** Name under which token counts are learned; `baseUrl`. For a server whose address is another each time. */
  readonly source?: string;
  /** What the server takes; by its address where absent. */
  readonly profile?: ProviderProfile | undefined;
  /** Milliseconds without a single byte, headers included, after which a call is given up; 60,000. */
  readonly idleMs?: number;
  /** Milliseconds after which a call is given up even while it streams; 600,000. */
  readonly timeoutMs?: number | undefined;
  readonly proxy?: ProxyAddresses | undefined;
}

/** Longest answer in bytes: 128,000 tokens at some 150 bytes an event, and as much again. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Characters from which a key is hidden in texts: a shorter one is no secret, but may be a common word. */
const SHORTEST_KEY = 8;

/**
 * Claude, and what speaks its language, over `@anthropic-ai/sdk`, one attempt a call. Its raw event iterator is used
 * because the SDK's own message stream reads without backpressure and hides an answer that was cut; its retries are off
 * because each attempt is paid apart.
 */
export const createAnthropicModel = (options: AnthropicOptions): ModelPort => {
  const { apiKey, baseUrl, clock } = options;
  const profile = options.profile ?? profileOf(baseUrl);
  const redact: Redact = (text) =>
    apiKey === undefined || apiKey.length < SHORTEST_KEY ? text : text.replaceAll(apiKey, '[key]');
  const limits: CallLimits = { idleMs: options.idleMs ?? 60_000, timeoutMs: options.timeoutMs ?? 600_000 };
  const deps: CallDeps = { clock, limits, redact, profile };
  let client: Promise<Anthropic> | undefined;
  const connect = (): Promise<Anthropic> => {
    if (apiKey === undefined || apiKey === '') {
      throw new ModelCallError('MODEL_KEY_MISSING', 'No API key is set', { billing: 'none', retryable: false });
    }
    client ??= openClient(baseUrl, apiKey, profile, options.proxy);
    return client;
  };
  return guardModel(
    {
      source: options.source ?? baseUrl,
      caches: profile.sendCacheControl,
      stream: (request, call) => streamCall(connect(), request, call, deps),
      countTokens: async (request, signal) =>
        profile.countTokens ? countTokens(await connect(), request, signal, deps) : undefined,
    },
    clock,
  );
};

/** Loaded on the first call: the SDK and its network cost a fifth of a second that most commands do not need. */
const openClient = async (
  baseURL: string,
  apiKey: string,
  profile: ProviderProfile,
  proxy: ProxyAddresses | undefined,
): Promise<Anthropic> => {
  const { default: Sdk } = await import('@anthropic-ai/sdk');
  return new Sdk({
    baseURL,
    apiKey,
    fetch: openPoolFetch(proxy),
    maxRetries: 0,
    openTelemetry: false,
    // It writes to the console, warnings about broken events with their text among them.
    logLevel: 'off',
    defaultHeaders: {
      'anthropic-version': profile.anthropicVersion,
      ...(profile.auth === 'x-api-key' ? { 'x-api-key': apiKey, authorization: null } : {}),
    },
  });
};

/** Loads what the first call loads otherwise, for a server whose first callers should not wait for it. Never rejects. */
export const warmModels = async (): Promise<void> => {
  const nowhere = 'http://localhost';
  // Node too loads its part only when it is named.
  void new Headers();
  await openClient(nowhere, 'none', profileOf(nowhere), undefined).catch(() => undefined);
};

interface CallDeps {
  readonly clock: Clock;
  readonly limits: CallLimits;
  readonly redact: Redact;
  readonly profile: ProviderProfile;
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
  const watch = watchCall(deps.clock, deps.limits, call.signal);
  let sent = false;
  let bytes = 0;
  const tap = withTap({
    onSend: () => {
      sent = true;
    },
    onBytes: (count) => {
      watch.touch();
      bytes += count;
      if (bytes > MAX_ANSWER_BYTES) throw new Error(`it is longer than ${MAX_ANSWER_BYTES} bytes`);
    },
  });
  try {
    const betas = request.options?.betas ?? [];
    // By its path, because `messages.create` writes about old models to the console.
    const { data: events, request_id: requestId } = await client
      .post<AsyncIterable<unknown>>('/v1/messages', {
        body: toParams(request, deps.profile),
        stream: true,
        signal: watch.signal,
        // Of the headers; the watch has its own limits.
        timeout: LONGEST_TIMER_MS,
        headers: {
          'idempotency-key': call.idempotencyKey,
          ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
        },
        fetchOptions: tap,
      })
      .withResponse();
    const answer = openAccumulator();
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const step = answer.add(next.value);
        if (step.type === 'none') continue;
        const event = step.type === 'start' ? startOf(answer.usage(), requestId ?? null) : step;
        if (event === undefined) continue;
        // A slow reader holds the stream up by backpressure; that silence is not the server's.
        watch.pause();
        yield event;
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
    const limit = watch.expired();
    if (limit === undefined) throw toModelCallError(error, deps.redact, deps.clock.now(), sent);
    throw tooLong(limit, deps.limits[limit]);
  } finally {
    watch.end();
  }
}

const startOf = (usage: ReturnType<ReturnType<typeof openAccumulator>['usage']>, requestId: string | null) =>
  usage === null ? undefined : ({ type: 'start', usage, requestId } as const);

/** Silence may pass; an answer that is too long will be so again. */
const tooLong = (limit: keyof CallLimits, ms: number): ModelCallError =>
  limit === 'idleMs'
    ? new ModelCallError('MODEL_UNAVAILABLE', `The model server was silent for ${ms / 1000} s`, {
        billing: 'unknown',
        retryable: true,
        outage: true,
      })
    : new ModelCallError('MODEL_UNAVAILABLE', `The answer took longer than ${ms / 1000} s (DEFAULT_TIMEOUT_MS)`, {
        billing: 'unknown',
        retryable: false,
      });

const countTokens = async (
  client: Anthropic,
  request: ModelRequest,
  signal: AbortSignal,
  deps: CallDeps,
): Promise<number> => {
  const { max_tokens: _limit, stream: _stream, stop_sequences: _stops, ...params } = toParams(request, deps.profile);
  try {
    const counted = await client.messages.countTokens(params as unknown as MessageCountTokensParams, {
      signal,
      timeout: deps.limits.idleMs,
    });
    return counted.input_tokens;
  } catch (error) {
    throw toModelCallError(error, deps.redact, deps.clock.now(), true);
  }
};
