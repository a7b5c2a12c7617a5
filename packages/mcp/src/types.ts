import type { McpElicitation, McpElicitationAnswer, McpProgress, McpTool, McpToolResult } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Asks a person; the signal is aborted when the server withdraws its question. */
export type Elicit = (request: McpElicitation, signal: AbortSignal) => Promise<McpElicitationAnswer>;

export interface McpDeps {
  /** Values for the allow-list HOME, PATH, SHELL, TERM, USER, LOGNAME, LANG; other names are ignored. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Without it servers are told that nobody can be asked. */
  readonly elicit?: Elicit | undefined;
}

export interface McpCallOptions {
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  /** Milliseconds for this call instead of the server's own limit. */
  readonly timeoutMs?: number;
  /** Called with every sign of progress, which also starts the time-out again, up to ten times in all. */
  readonly onProgress?: (progress: McpProgress) => void;
  /** Answers what the server asks during this call, whose time stands still meanwhile. */
  readonly elicit?: Elicit;
}

export type Era = 'legacy' | 'modern';

/** One running server. */
export interface McpConnection {
  readonly id: string;
  readonly era: Era;
  readonly protocolVersion: string;
  readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
  /** Process id of a stdio server. */
  readonly pid: number | undefined;
  /** As listed last; frozen. */
  tools(): readonly McpTool[];
  /** Asks for the list again, and keeps it. */
  listTools(signal?: AbortSignal): Promise<readonly McpTool[]>;
  /** Calls back after the server said that its tools changed. */
  onToolsChanged(handler: () => void): void;
  /**
   * Calls a tool by its own name. What the server refuses comes back as `isError`. Throws MCP_CONNECTION_FAILED when
   * the server is gone (`details.executed` is `no` where the call certainly did not reach it), REQUEST_TIMEOUT after the
   * time-out, and the signal's reason when it is aborted.
   */
  call(tool: string, input: unknown, options: McpCallOptions): Promise<McpToolResult>;
  resources(signal?: AbortSignal): Promise<readonly McpResource[]>;
  readResource(uri: string, signal?: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]>;
  prompts(signal?: AbortSignal): Promise<readonly McpPrompt[]>;
  prompt(name: string, args: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<readonly McpMessage[]>;
  /** Asks for a sign of life: `ping`, or `server/discover` since 2026-07-28. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
  /** Resolves once, with the reason, when the connection has ended. */
  readonly closed: Promise<string>;
}

export interface McpResource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly mimeType: string | undefined;
}

export interface McpPrompt {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly required: boolean }[];
}

export interface McpMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Readonly<Record<string, unknown>>;
}
