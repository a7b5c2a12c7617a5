import type { ErrorCode, Usage } from '@cloutagent/contract';

/** A block of a message exactly as the Messages API gave or takes it; unknown kinds and fields are kept. */
export type ContentBlock = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly ContentBlock[];
}

/** A tool in the Messages API's form; `name` is the wire name. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  readonly model: string;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  readonly maxTokens: number;
}

export interface ModelAnswer {
  /** Verbatim blocks, to be sent back unchanged. */
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
  readonly usage: Usage;
  readonly requestId: string | null;
}

export type ModelEvent =
  | { readonly type: 'start'; readonly usage: Usage; readonly requestId: string | null }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'end'; readonly answer: ModelAnswer };

/** One attempt at one model call; it never retries. Throws `ModelCallError`. */
export interface ModelPort {
  /** Where the answers come from; token counts that were learned from one source say nothing about another. */
  readonly source: string;
  /** Longest lifetime of the cache entries that its requests ask to write, since writing is dearer; absent: none are asked for. */
  readonly cacheWrites?: '5m' | '1h' | undefined;
  /** What the server says that a request's prompt counts; absent where it is not asked. Nothing is billed. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number>;
  stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal; readonly idempotencyKey: string },
  ): AsyncIterable<ModelEvent>;
}

/** A failed attempt, with the two things that the caller must know: was it billed, and can a retry help. */
export class ModelCallError extends Error {
  readonly code: ErrorCode;
  /** `none`: certainly not billed. `unknown`: it may have been. */
  readonly billing: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { billing: 'none' | 'unknown'; retryable: boolean; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'ModelCallError';
    this.code = code;
    this.billing = options.billing;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}
