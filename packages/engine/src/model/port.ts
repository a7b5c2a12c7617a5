import type { Effort, ErrorCode, Usage } from '@cloutagent/contract';
import type { CacheMarks } from './cache.ts';

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

/** What a request may say beside its conversation; a server that does not take something is not sent it. */
export interface ModelOptions {
  readonly temperature?: number | undefined;
  readonly effort?: Effort | undefined;
  readonly thinking?: Readonly<Record<string, unknown>> | undefined;
  /** JSON Schema of the answer. */
  readonly outputSchema?: Readonly<Record<string, unknown>> | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  /** Further fields, sent as they are; its `tools` are added behind the others. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Values of `anthropic-beta`. */
  readonly betas?: readonly string[] | undefined;
}

export interface ModelRequest {
  readonly model: string;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  readonly maxTokens: number;
  readonly options?: ModelOptions | undefined;
  /** Marks for the prompt cache; input may then cost its price for cache writes. They are no part of what is asked. */
  readonly cache?: CacheMarks | undefined;
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
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'end'; readonly answer: ModelAnswer };

/** One attempt at one model call; it never retries. Throws `ModelCallError`. */
export interface ModelPort {
  /** Where the answers come from; token counts that were learned from one source say nothing about another. */
  readonly source: string;
  /** Whether marks for the prompt cache reach a server that has one; absent: they do. */
  readonly caches?: boolean;
  stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal; readonly idempotencyKey: string },
  ): AsyncIterable<ModelEvent>;
  /** Takes one repetition from what all calls of this source may repeat; false where there is none left. Always true where absent. */
  mayRepeat?(): boolean;
  /** Tokens of a request's input by the server's own count; undefined where it does not count. Throws `ModelCallError`. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number | undefined>;
}

/** A failed attempt, with the two things that the caller must know: was it billed, and can a retry help. */
export class ModelCallError extends Error {
  readonly code: ErrorCode;
  /** `none`: certainly not billed. `unknown`: it may have been. */
  readonly billing: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Whether it speaks against the service itself: 5xx, overload, silence, a broken connection; not a refusal, not our abort. */
  readonly outage: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      billing: 'none' | 'unknown';
      retryable: boolean;
      retryAfterMs?: number | undefined;
      outage?: boolean;
      cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.name = 'ModelCallError';
    this.code = code;
    this.billing = options.billing;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.outage = options.outage ?? false;
  }
}
