import type { IncomingHttpHeaders, Server } from 'node:http';
import type { ErrorBody, Principal, Scope } from '@cloutagent/contract';
import type { Clock, SseEvent } from '@cloutagent/kit';

/** What a handler knows of its request. */
export interface RequestContext {
  /** `req_…`, also in the answer's `X-Request-Id`. */
  readonly requestId: string;
  readonly method: string;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly principal: Principal;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /**
   * The body as JSON, undefined where the request has none; within the route's byte limit, 64 levels and 10,000 keys.
   * VALIDATION_ERROR, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE.
   */
  readJson(): Promise<unknown>;
}

/**
 * Writes one stream. Each write resolves when the socket takes more and rejects once the stream is closed; whoever
 * does not wait is held by a cap of 1 MiB on unsent bytes, after which the connection is closed.
 */
export interface StreamWriter {
  readonly signal: AbortSignal;
  sse(event: SseEvent): Promise<void>;
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
      readonly body: string;
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
      readonly run: (writer: StreamWriter) => Promise<void>;
    };

/** Turns an error into an answer. `body.code` is of the contract's table, so nothing internal can reach it. */
export type FormatError = (
  status: number,
  body: ErrorBody,
  context: { readonly requestId: string; readonly headers: IncomingHttpHeaders },
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
  /** Largest body in bytes; 256 KiB by default. */
  readonly maxBodyBytes?: number;
  /** Shape of this route's errors, before the front's own. */
  readonly formatError?: FormatError;
  readonly handler: Handler;
}

export interface FrontOptions {
  readonly routes: readonly Route[];
  /**
   * Tokens by class. Without a user token a loopback bind trusts loopback callers: any or no Bearer may read and run,
   * and only an admin token may administer. With one, a missing or unknown token is AUTHENTICATION_FAILED.
   */
  readonly tokens: { readonly user: readonly string[]; readonly admin: readonly string[] };
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
}
