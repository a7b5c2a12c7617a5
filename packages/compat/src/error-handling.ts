import { codeOf, failureKind, MCPError, type ErrorCategory as Category } from '@cloutagent/contract';
import { openCircuit, retryDelay, systemClock, systemRandom, type Circuit, type CircuitState } from '@cloutagent/kit';

/** Seed 003, task 2.3. */
export const ErrorCategory = { RETRYABLE: 'retryable', FATAL: 'fatal', USER_ERROR: 'user_error' } as const;

export interface ErrorContext {
  readonly category: Category;
  readonly message: string;
  readonly userMessage: string;
  readonly retryable: boolean;
  readonly details?: unknown;
}

const statusOf = (error: unknown): number | undefined => {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : undefined;
};

const context = (category: Category, message: string, userMessage: string, details: unknown): ErrorContext => ({
  category,
  message,
  userMessage,
  retryable: category === 'retryable',
  details,
});

const ofStatus = (error: unknown, status: number): ErrorContext | undefined => {
  if (status === 429) {
    const words = 'Too many requests. Please wait a moment and try again.';
    return context('retryable', 'Rate limit exceeded', words, error);
  }
  if (status === 401)
    return context('fatal', 'Invalid API key', 'Authentication failed. Please check your API key.', error);
  if (status >= 500) {
    const words = 'Anthropic service temporarily unavailable. Retrying...';
    return context('retryable', 'Anthropic API error', words, error);
  }
  if (status >= 400) {
    const words = failureKind('MODEL_REQUEST_REFUSED').userMessage;
    return context('user_error', `Request refused (${status})`, words, error);
  }
  return undefined;
};

/** Says of anything thrown who can mend it. Errors with an HTTP `status`, of MCP servers, and those of this product. */
export class ErrorHandler {
  categorizeError(error: unknown): ErrorContext {
    const status = statusOf(error);
    const known = status === undefined ? undefined : ofStatus(error, status);
    if (known !== undefined) return known;
    if (error instanceof MCPError && error.code === 'CONNECTION_FAILED') {
      const words = `Failed to connect to ${error.serverId}. Retrying...`;
      return context('retryable', `MCP server connection failed: ${error.serverId}`, words, error);
    }
    const { category, userMessage } = failureKind(codeOf(error));
    return context(category, error instanceof Error ? error.message : 'Unknown error', userMessage, error);
  }
}

export interface RetryOptions {
  readonly maxRetries?: number;
  /** Milliseconds. */
  readonly initialDelay?: number;
  readonly maxDelay?: number;
  readonly factor?: number;
  /** Waits a random part of each delay, so that many callers do not come back at once. */
  readonly jitter?: boolean;
  readonly signal?: AbortSignal;
}

/** Repeats what may help, three times from one second to thirty, doubling. */
export class RetryManager {
  async executeWithRetry<T>(fn: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
    const { maxRetries = 3, initialDelay = 1000, maxDelay = 30_000, factor = 2, jitter = false } = options;
    const policy = { attempts: maxRetries + 1, baseMs: initialDelay, capMs: maxDelay, factor };
    const errors = new ErrorHandler();
    for (let next = 1; ; next += 1) {
      try {
        return await fn();
      } catch (error) {
        if (next > maxRetries || !errors.categorizeError(error).retryable) throw error;
        await systemClock.sleep(retryDelay(policy, next, jitter ? systemRandom() : 1), options.signal);
      }
    }
  }
}

/** Keeps calls from what keeps failing: one probe after the time-out, a clock that never jumps, and 4xx never trip it. */
export class CircuitBreaker {
  readonly #circuit: Circuit;

  constructor(threshold = 5, timeout = 60_000) {
    this.#circuit = openCircuit({ threshold, openMs: timeout }, systemClock);
  }

  /** Throws `Circuit breaker is open` without a call while it is open. */
  async execute<T>(fn: () => Promise<T>): Promise<T> {
    const entry = this.#circuit.enter();
    if ('retryAfterMs' in entry) throw new Error('Circuit breaker is open');
    try {
      const result = await fn();
      entry.end('success');
      return result;
    } catch (error) {
      const status = statusOf(error) ?? 500;
      entry.end(status >= 400 && status < 500 ? 'success' : 'failure');
      throw error;
    }
  }

  getState(): CircuitState {
    return this.#circuit.state();
  }
}
