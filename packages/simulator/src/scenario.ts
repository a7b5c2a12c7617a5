/** A part of a text, or a regular expression whose groups fill `{{match.1}}` in the answer. */
export type Matcher = string | { readonly regex: string; readonly flags?: string };

/** All conditions must hold; none at all always does. */
export interface When {
  /** On the text of the last message, tool results included. */
  readonly lastMessage?: Matcher;
  /** On the text of the first message. */
  readonly firstMessage?: Matcher;
  /** Part of the system prompt. */
  readonly system?: string;
  /** Wire names that must all be offered. */
  readonly tools?: readonly string[];
  /** 1 where the conversation has no assistant turn yet. */
  readonly turn?: number;
  readonly model?: string;
  /** The rule answers at most so many times in the life of the process. */
  readonly times?: number;
}

export interface ToolCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Replaces counted figures of `usage`. */
export interface UsageOverride {
  readonly input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly output_tokens?: number;
}

export type StopReason =
  | 'end_turn'
  | 'max_tokens'
  | 'stop_sequence'
  | 'tool_use'
  | 'pause_turn'
  | 'refusal'
  | 'model_context_window_exceeded';

export interface Speech {
  readonly thinking?: string;
  readonly text?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** `tool_use` with tool calls, else `end_turn`. */
  readonly stopReason?: StopReason;
  /** Wait before the first byte, in milliseconds, on top of `delays.firstTokenMs`. */
  readonly delayMs?: number;
  /** In the place of those of `delays`, also where they came from the command line. */
  readonly firstTokenMs?: number;
  readonly perTokenMs?: number;
  readonly usage?: UsageOverride;
}

export interface ErrorReply {
  readonly status: number;
  readonly type?: string;
  readonly message?: string;
  /** Header `retry-after` as it is. */
  readonly retryAfter?: number | string;
  /** `error.details.error_code`, such as `enforced_spend_limit_reached`. */
  readonly errorCode?: string;
}

type FaultKind = 'drop' | 'stall' | 'truncate' | 'midstream-error' | 'broken-json';

/** What breaks, after how much of the speech. The request counts as answered and billed in full. */
export interface Fault extends Speech {
  /**
   * `drop` cuts the connection, `stall` sends nothing more, `truncate` ends in good order too early,
   * `midstream-error` sends an `error` event, `broken-json` half a JSON text in good order.
   */
  readonly fault: FaultKind;
  /** Deltas sent before it. Without it a `drop` comes before the first byte, the others after one delta. */
  readonly afterDeltas?: number;
  /** Of `midstream-error`; 529 `overloaded_error` by default. */
  readonly error?: ErrorReply;
}

/**
 * What is built in: `file-tasks` does a task of a run with the tools of a filesystem server, `change-requests` does what
 * a person asks of changes with the tools of Task MCP, `assistant` does whichever of the two is asked for.
 */
export type Behaviour = 'file-tasks' | 'change-requests' | 'assistant';

export type Answer = Speech | Fault | { readonly error: ErrorReply } | { readonly use: Behaviour };

export interface Rule {
  readonly when: When;
  readonly answer: Answer;
}

export interface Delays {
  /** Milliseconds before the first delta. */
  readonly firstTokenMs: number;
  /** Milliseconds for each token of output. */
  readonly perTokenMs: number;
}

/** Rules in order; the first one whose conditions hold answers. */
export interface Scenario {
  readonly format: 1;
  readonly name: string;
  readonly delays: Delays;
  readonly rules: readonly Rule[];
}

/** Does simple file tasks with the tools of a filesystem server, and requests about changes with those of Task MCP. */
export const defaultScenario: Scenario = {
  format: 1,
  name: 'default',
  delays: { firstTokenMs: 0, perTokenMs: 0 },
  rules: [{ when: {}, answer: { use: 'assistant' } }],
};
