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
  /** The body as JSON, within the route's byte and depth limits; VALIDATION_ERROR, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE. */
  readJson(): Promise<unknown>;
}

/** Writes one stream; bytes that a slow reader leaves unread are capped, then the connection is closed. */
export interface StreamWriter {
  readonly signal: AbortSignal;
  /** Resolves when the socket takes more. */
  sse(event: SseEvent): Promise<void>;
  comment(text: string): Promise<void>;
  ndjson(value: unknown): Promise<void>;
  /** Destroys the socket at once, without an orderly end. */
  destroy(): void;
}

/** What a handler answers. A stream's head is sent when `run` is called, so errors before it keep their status. */
export type Reply =
  | { readonly kind: 'json'; readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown }
  | { readonly kind: 'text'; readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly contentType: string; readonly body: string }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly kind: 'stream';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType: 'text/event-stream' | 'application/x-ndjson';
      /** Send `event: heartbeat` every 25 s from the shared timer. */
      readonly heartbeat?: boolean;
      readonly run: (writer: StreamWriter) => Promise<void>;
    };

export type Handler = (context: RequestContext) => Promise<Reply> | Reply;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT';
  /** find-my-way syntax: `/api/runs/:id`. */
  readonly path: string;
  /** `open` answers without a token (but says 401 to a wrong one). */
  readonly scope: Scope | 'open';
  /** Largest body in bytes; 256 KiB by default. */
  readonly maxBodyBytes?: number;
  readonly handler: Handler;
}

export interface FrontOptions {
  readonly routes: readonly Route[];
  /** Tokens by class; none at all = loopback callers may read and run. */
  readonly tokens: { readonly user: readonly string[]; readonly admin: readonly string[] };
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Shape of an error answer; the envelope of the contract by default. */
  readonly formatError?: (status: number, body: ErrorBody, context: { requestId: string; headers: IncomingHttpHeaders }) => Reply;
  /** Folder of built web assets, served for GET with an index fallback for `Accept: text/html`. */
  readonly assets?: string;
  /** false: no token is ever asked for (the simulator checks keys itself). */
  readonly authenticate?: boolean;
}

export interface Front {
  readonly server: Server;
  /** Resolves with the real port; refuses a non-loopback host without tokens. */
  listen(options: { readonly port: number; readonly host: string }): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops accepting, ends streams with `event: shutdown`, lets requests finish, closes after `ms` at the latest. */
  drain(ms: number): Promise<void>;
}
