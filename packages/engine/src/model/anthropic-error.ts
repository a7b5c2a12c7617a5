import type { ErrorCode } from '@cloutagent/contract';
import { ModelCallError } from './port.ts';

/** Hides the key in whatever a server or a library wrote about the call. */
export type Redact = (text: string) => string;

/** Failures to connect: nothing was sent, so nothing was billed. */
const NEVER_CONNECTED = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/u;
/** The same, but another attempt ends the same way: a bad address or a certificate that is not accepted. */
const NEVER_WILL = /^(?:ERR_INVALID_URL|UND_ERR_INVALID_ARG|ERR_TLS_.*|ERR_SSL_.*|.*CERT.*|UNABLE_TO_.*)$/u;

/** What `fetch` says, without a code, of a request that it does not even begin to send. */
const NEVER_BEGUN = /^(?:unknown scheme|bad port)$|ByteString|invalid header|URL that includes credentials/u;

/** Statuses with which a request is turned away before any work is done on it. */
const TURNED_AWAY_FOR_NOW = new Set([408, 409, 425, 429, 503, 529]);

/** Kinds of an `error` event inside a stream that a repetition can help. */
const PASSING_KINDS = new Set(['overloaded_error', 'api_error', 'rate_limit_error', 'timeout_error']);

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

const textField = (value: unknown, name: string): string | undefined => {
  const found = field(value, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
};

/** Codes of an error, of its causes, and of the parts of an AggregateError; ten levels, so that a cycle ends. */
const codesOf = (error: unknown, depth = 0): readonly string[] => {
  if (depth > 10 || typeof error !== 'object' || error === null) return [];
  const code = textField(error, 'code');
  const parts = field(error, 'errors');
  return [
    ...(code === undefined ? [] : [code]),
    ...(Array.isArray(parts) ? parts.flatMap((part) => codesOf(part, depth + 1)) : []),
    ...codesOf(field(error, 'cause'), depth + 1),
  ];
};

/** Texts of an error and its causes that carry no code; ten levels, so that a cycle ends. */
const textsOf = (error: unknown, depth = 0): readonly string[] => {
  if (depth > 10 || !(error instanceof Error)) return [];
  return [...(textField(error, 'code') === undefined ? [error.message] : []), ...textsOf(error.cause, depth + 1)];
};

const headerOf = (error: unknown, name: string): string | undefined => {
  const headers = field(error, 'headers');
  return headers instanceof Headers ? (headers.get(name) ?? undefined) : undefined;
};

/** Milliseconds that the server asks to wait. `now` is milliseconds since 1970, for a date in the header. */
const retryAfterOf = (error: unknown, now: number): number | undefined => {
  const ms = Number(headerOf(error, 'retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms > 0) return ms;
  const header = headerOf(error, 'retry-after');
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
};

const ofStatus = (error: unknown, status: number, redact: Redact, now: number): ModelCallError => {
  const said = redact(textField(error, 'apiMessage') ?? `HTTP ${status}`);
  const retryAfterMs = retryAfterOf(error, now);
  if (status === 401) {
    return new ModelCallError(
      'MODEL_KEY_MISSING',
      `The model server did not accept the API key (authentication failed): ${said}`,
      {
        billing: 'none',
        retryable: false,
      },
    );
  }
  const ruling = headerOf(error, 'x-should-retry');
  // The account's money is used up: no repetition helps, but a person can.
  const unpaid = status === 402 || textField(error, 'errorCode') === 'enforced_spend_limit_reached';
  const passing = TURNED_AWAY_FOR_NOW.has(status) || status >= 500;
  const retryable = ruling === 'true' || (ruling !== 'false' && passing && !unpaid);
  const billing = status < 500 || TURNED_AWAY_FOR_NOW.has(status) ? 'none' : 'unknown';
  const outage = status >= 500;
  return new ModelCallError(codeFor(status, unpaid, passing), `The model server answered ${status}: ${said}`, {
    billing,
    retryable,
    retryAfterMs,
    outage,
  });
};

const codeFor = (status: number, unpaid: boolean, passing: boolean): ErrorCode => {
  if (unpaid) return 'MODEL_ACCOUNT_LIMIT';
  if (status === 429) return 'MODEL_RATE_LIMITED';
  return passing ? 'MODEL_UNAVAILABLE' : 'MODEL_REQUEST_REFUSED';
};

/**
 * Says of anything that a call threw whether it was billed and whether a repetition can help. Looks at shapes, not
 * classes: the SDK is not loaded here. `error.message` of the SDK holds raw JSON, so its `apiMessage` is shown instead.
 * `sent` is false where the request was never handed to the network.
 */
export const toModelCallError = (error: unknown, redact: Redact, now: number, sent: boolean): ModelCallError => {
  if (error instanceof ModelCallError) return error;
  const status = field(error, 'status');
  if (typeof status === 'number') return ofStatus(error, status, redact, now);
  const kind = textField(error, 'type');
  if (kind !== undefined) {
    const said = redact(textField(error, 'apiMessage') ?? kind);
    const retryable = PASSING_KINDS.has(kind);
    return new ModelCallError(
      retryable ? 'MODEL_UNAVAILABLE' : 'MODEL_REQUEST_REFUSED',
      `The answer broke off: ${said}`,
      {
        billing: 'unknown',
        retryable,
        outage: retryable && kind !== 'rate_limit_error',
      },
    );
  }
  const codes = codesOf(error);
  const notSent = codes.find((code) => NEVER_CONNECTED.test(code) || NEVER_WILL.test(code));
  if (notSent !== undefined) {
    return new ModelCallError('MODEL_UNAVAILABLE', `The model server cannot be reached (${notSent})`, {
      billing: 'none',
      retryable: NEVER_CONNECTED.test(notSent),
      outage: true,
    });
  }
  const texts = textsOf(error);
  const neverBegun = texts.find((text) => NEVER_BEGUN.test(text)) ?? (sent ? undefined : texts.at(-1));
  if (neverBegun !== undefined) {
    const why = redact(neverBegun).slice(0, 200);
    return new ModelCallError('MODEL_UNAVAILABLE', `The request could not be sent (${why})`, {
      billing: 'none',
      retryable: false,
    });
  }
  const what = error instanceof SyntaxError ? 'is not JSON' : `broke off (${redact(causeText(error))})`;
  return new ModelCallError('MODEL_UNAVAILABLE', `The model server's answer ${what}`, {
    billing: 'unknown',
    retryable: true,
    outage: true,
  });
};

const causeText = (error: unknown): string => {
  const codes = codesOf(error);
  return codes[0] ?? (error instanceof Error ? error.message : 'no reason given').slice(0, 200);
};
