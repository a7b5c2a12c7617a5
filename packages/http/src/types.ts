import type { IncomingHttpHeaders, Server } from 'node:http';
import type { ErrorBody, Principal, Scope } from '@cloutagent/contract';
import type { Clock, SseEvent } from '@cloutagent/kit';
import type { TokenTable } from './authenticate.ts';
import type { FrontStats } from './stats.ts';

/** What a handler knows of its request. */
export interface RequestContext {
  /** `req_…`, also in the answer's `X-Request-Id`. */
  readonly requestId: string;
  readonly method: string;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** Address of the caller; behind a trusted proxy the one that it names. */
  readonly remoteAddress: string;
  /** The connection is TLS, here or at a trusted proxy. */
  readonly secure: boolean;
  readonly principal: Principal;
  /** Aborted when the client goes away, the server stops or the time is over (reason REQUEST_TIMEOUT). */
  readonly signal: AbortSignal;
  /** Throws the reason where that signal is aborted; for work that is too short to be interrupted it need not be made. */
  throwIfAborted(): void;
  /**
   * The body as JSON, undefined where the request has none; within the route's byte limit, 64 levels and 10,000 keys.
   * VALIDATION_ERROR, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE.
   */
  readJson(): Promise<unknown>;
  /**
   * Whose token this is, for a login route; undefined where it is nobody's. Counts against the limit of wrong tokens
   * of the caller's address: RATE_LIMIT_EXCEEDED.
   */
  checkToken(token: string): Principal | undefined;
  /**
   * Adds to what the audit log says of this request: ids and names, never a secret. `code` is that of an error which
   * the status does not tell.
   */
  note(fields: Readonly<Record<string, string | number | boolean>>): void;
  /** What the front has measured so far. */
  stats(): FrontStats;
}

/**
 * Writes one stream. Each write resolves when the socket takes more and rejects once the stream is closed; whoever
 * does not wait is held by a cap of 1 MiB on unsent bytes, after which the connection is closed.
 */
export interface StreamWriter {
  readonly signal: AbortSignal;
  sse(event: SseEvent): Promise<void>;
  /** Frames that are encoded already, several in one write. */
  frames(text: string): Promise<void>;
  comment(text: string): Promise<void>;
  ndjson(value: unknown): Promise<void>;
  /** Destroys the socket at once, without an orderly end. */
  destroy(): void;
}

/** What a handler answers. A stream's head is sent when `run` is called, so errors before it keep their status. */
export type Reply =
  | {
      readonly kind: 'json';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: unknown;
    }
  | {
      readonly kind: 'text';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType: string;
      /** In one piece, or in several that are sent one behind the other: bytes that are kept need not be made again. */
      readonly body: string | readonly (string | Buffer)[];
    }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly kind: 'stream';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType: 'text/event-stream' | 'application/x-ndjson';
      /**
       * Every 25 s from the shared timer, event streams only: `event: heartbeat`, or with `comment` a line that no
       * client takes for an event.
       */
      readonly heartbeat?: boolean | 'comment';
      /**
       * What a stop of the server does to this stream: `end` (default) sends `event: shutdown` and ends it at once;
       * `finish` lets `run` come to its end, within the time of the drain.
       */
      readonly onDrain?: 'end' | 'finish';
      /** true: the time limit of requests holds for `run` too. Streams that live on by nature leave it out. */
      readonly timed?: boolean;
      /** Says in the stream's own form why it ends early; the envelope of errors by default. */
      readonly onFailure?: (writer: StreamWriter, error: unknown) => Promise<void>;
      readonly run: (writer: StreamWriter) => Promise<void>;
    }
  /** Closes the connection without an answer, as a network that fails would. */
  | { readonly kind: 'destroy' };

/** Turns an error into an answer. `body.code` is of the contract's table, so nothing internal can reach it. */
export type FormatError = (
  status: number,
  body: ErrorBody,
  context: {
    readonly requestId: string;
    readonly headers: IncomingHttpHeaders;
    /** When the request came: milliseconds since 1970, UTC. */
    readonly receivedAt: number;
  },
) => Reply;

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export type Handler = (context: RequestContext) => Promise<Reply> | Reply;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT';
  /** find-my-way syntax: `/api/runs/:id`. */
  readonly path: string;
  /** `open` answers without a token (but says 401 to a wrong one). */
  readonly scope: Scope | 'open';
  /** A wrong cookie counts as none: a browser sends it by itself, and asks such an open route for another one. */
  readonly oldCookies?: true;
  /** Largest body in bytes; 256 KiB by default. */
  readonly maxBodyBytes?: number;
  /** Most members that a JSON body may have in all; 10,000 by default. */
  readonly maxJsonKeys?: number;
  /** Counts against the rate limit; by default what is no GET. */
  readonly limited?: boolean;
  /** false: has a limit of its own instead of the front's. */
  readonly timed?: false;
  /** Shape of this route's errors, before the front's own. */
  readonly formatError?: FormatError;
  readonly handler: Handler;
}

export interface RateLimitOptions {
  /** Requests that come back in `windowMs`. */
  readonly rate: number;
  readonly windowMs: number;
  /** Requests that may come at once. */
  readonly burst: number;
  /** Shares the buckets with other processes over this Redis. */
  readonly redisUrl?: string;
  /** Milliseconds that the event loop was late since the last call, p99; the process's own by default. */
  readonly loopDelay?: { read(): number; close(): void };
}

/** One line of the audit log: who did what, and how it ended. */
export interface AuditEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly requestId: string;
  /** Name of the principal; `anonymous` before anybody is known. */
  readonly who: string;
  readonly tokenId?: string;
  readonly address: string;
  readonly method: string;
  /** Path of the route as it was declared, so that no id or query gets here by accident. */
  readonly route: string;
  readonly status: number;
  readonly result: 'ok' | 'denied' | 'failed' | 'aborted';
  readonly code?: string;
  readonly ms: number;
  /** What the handler noted. */
  readonly [note: string]: string | number | boolean | undefined;
}

/** Tokens as they are configured. */
export interface Tokens {
  readonly user: readonly string[];
  readonly admin: readonly string[];
}

export interface FrontOptions {
  readonly routes: readonly Route[];
  /**
   * Tokens by class. Without a user token a loopback bind trusts loopback callers: any or no Bearer may read and run,
   * and only an admin token may administer. With one, a missing or unknown token is AUTHENTICATION_FAILED. Whoever
   * gives a table of digests (`tokenTable`) keeps the tokens out of the memory of the process.
   */
  readonly tokens: Tokens | TokenTable;
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Shape of an error answer; the envelope of the contract by default. */
  readonly formatError?: FormatError;
  /** Folder of built web assets, served for GET with an index fallback for `Accept: text/html`. */
  readonly assets?: string;
  /** false: no token is ever asked for (the simulator checks keys itself). */
  readonly authenticate?: boolean;
  /** Sockets at one time; further ones are closed at once. 10,240 by default: an idle stream costs 12 KB. */
  readonly maxConnections?: number;
  /** Sockets of one address at one time; further ones are closed at once. 1,024 by default, loopback is not counted. */
  readonly maxConnectionsPerAddress?: number;
  /** No limit where absent. */
  readonly rateLimit?: RateLimitOptions;
  /** Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustedProxies?: readonly string[];
  /** After this a request's signal aborts and it is answered with REQUEST_TIMEOUT; no limit where absent. */
  readonly requestTimeoutMs?: number;
  /** false leaves CSP and its companions to a proxy. */
  readonly securityHeaders?: boolean;
  /** false answers no `X-Debug`, whoever asks. */
  readonly debugHeader?: boolean;
  /** Serves HTTPS with this certificate and key (PEM). */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Takes a line for every request that is no GET and for every refusal of a caller. */
  readonly audit?: (event: AuditEvent) => void;
}

export interface Front {
  readonly server: Server;
  /** Resolves with the real port; refuses a non-loopback host without tokens. */
  listen(options: {
    readonly port: number;
    readonly host: string;
  }): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops accepting, ends streams with `event: shutdown`, lets requests finish, closes after `ms` at the latest. */
  drain(ms: number): Promise<void>;
  /** What was measured so far. */
  stats(): FrontStats;
}
