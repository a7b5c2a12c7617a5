import {
  CloutError,
  codeOf,
  type McpDrift,
  type McpServerState,
  type McpTool,
  type McpToolResult,
} from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { messageOf } from './call-error.ts';
import type { EraCache } from './era.ts';
import type { Gate } from './gate.ts';
import type { HttpDeps } from './http.ts';
import { openServer } from './open.ts';
import { capOutput, type Spill } from './output-cap.ts';
import { createRestartGuard, type RestartGuard } from './restart.ts';
import type { Target } from './target.ts';
import { approvedTools, driftOf, requireUnchanged, type ToolPins } from './tool-digest.ts';
import type { McpCallOptions, McpConnection } from './types.ts';
import { withSignal } from './with-signal.ts';

/** A sign of life is waited for so long. */
const PING_MS = 5_000;

export interface SupervisedDeps extends HttpDeps {
  readonly random: () => number;
  readonly eras: EraCache;
  /** Bounds how many servers start at once. */
  readonly starts: Gate;
  readonly spill?: Spill | undefined;
  /** Approved tools of this server, as they are now. */
  readonly pins: () => ToolPins | undefined;
  /** The first list of an approved server is what later ones are compared with. */
  readonly pin: (tools: readonly McpTool[]) => void;
}

export interface ServerReport {
  readonly id: string;
  readonly state: McpServerState;
  readonly connection: McpConnection | undefined;
  readonly drift: McpDrift | undefined;
  readonly restarts: number;
  readonly retryAt: string | undefined;
  readonly lastError: string | undefined;
  readonly references: number;
}

/**
 * One server, kept alive for whoever holds a reference: started by the first use, started again when it is lost, left alone
 * for a while when it crashes in a loop, stopped when nobody calls it.
 */
export class SupervisedServer {
  readonly key: string;
  readonly target: Target;
  readonly #deps: SupervisedDeps;
  readonly #idleMs: number;
  readonly #guard: RestartGuard;
  readonly #over = new AbortController();
  #connection: McpConnection | undefined;
  #opening: Promise<McpConnection> | undefined;
  #state: McpServerState = 'idle';
  #references = 0;
  #inFlight = 0;
  #lastUsed: number;
  #quarantinedUntil = 0;
  #lastError: string | undefined;

  constructor(key: string, target: Target, options: { readonly idleMs: number }, deps: SupervisedDeps) {
    this.key = key;
    this.target = target;
    this.#idleMs = options.idleMs;
    this.#deps = deps;
    this.#guard = createRestartGuard(deps.random);
    this.#lastUsed = deps.clock.monotonic();
  }

  get references(): number {
    return this.#references;
  }

  acquire(): void {
    this.#references += 1;
  }

  release(): void {
    this.#references -= 1;
  }

  /** The live connection, opened where there is none. Errors: MCP_CONNECTION_FAILED, MCP_QUARANTINED, MCP_ADDRESS_REFUSED. */
  async connect(signal?: AbortSignal): Promise<McpConnection> {
    signal?.throwIfAborted();
    this.#requireOpen();
    this.#lastUsed = this.#deps.clock.monotonic();
    if (this.#connection !== undefined) return this.#connection;
    const left = this.#quarantinedUntil - this.#deps.clock.monotonic();
    if (left > 0) throw this.#quarantined(left);
    this.#opening ??= this.#open();
    return withSignal(this.#opening, signal);
  }

  /** The tools that are approved, as the server lists them now. */
  async tools(signal?: AbortSignal): Promise<readonly McpTool[]> {
    return approvedTools((await this.connect(signal)).tools(), this.#deps.pins());
  }

  /**
   * Calls a tool. A lost connection is rebuilt; the call is repeated once where it was certainly not executed, or where the
   * tool is read-only or idempotent by annotation. Errors: those of `connect` and `McpConnection.call`, MCP_NOT_APPROVED.
   */
  async call(tool: McpTool, input: unknown, options: McpCallOptions): Promise<McpToolResult> {
    const repeatable = tool.annotations.readOnlyHint === true || tool.annotations.idempotentHint === true;
    this.#inFlight += 1;
    try {
      for (let attempt = 0; ; attempt += 1) {
        const connection = await this.connect(options.signal);
        requireUnchanged(connection.tools(), tool);
        try {
          const result = await connection.call(tool.name, input, options);
          return await capOutput(result, { server: this.target.id, tool: tool.name }, this.#deps.spill);
        } catch (error) {
          if (codeOf(error) !== 'MCP_CONNECTION_FAILED') throw error;
          await this.#drop(connection, messageOf(error));
          const certain = error instanceof CloutError && error.details?.['executed'] === 'no';
          if (attempt > 0 || !(certain || repeatable)) throw error;
        }
      }
    } finally {
      this.#inFlight -= 1;
      this.#lastUsed = this.#deps.clock.monotonic();
    }
  }

  /** Called every so often: a server that nobody uses is stopped, one that does not answer is replaced. */
  async check(): Promise<void> {
    const now = this.#deps.clock.monotonic();
    const connection = this.#connection;
    if (connection === undefined) {
      const lost = this.#state === 'quarantined' ? now >= this.#quarantinedUntil : this.#lastError !== undefined;
      const due = lost && this.#references > 0 && this.#opening === undefined;
      if (due) await this.connect().catch(() => undefined);
      return;
    }
    if (this.#inFlight > 0) return;
    if (this.#idleMs > 0 && now - this.#lastUsed >= this.#idleMs) return this.stop();
    try {
      await connection.ping(PING_MS);
      await connection.listTools();
      this.#noteTools(connection);
    } catch (error) {
      // A call that has begun meanwhile may be what keeps it busy.
      if (this.#inFlight > 0) return;
      this.#deps.log('warn', 'MCP server is not well', { server: this.target.id, message: messageOf(error) });
      await this.#drop(connection, `it does not answer: ${messageOf(error)}`);
    }
  }

  report(): ServerReport {
    const { clock } = this.#deps;
    const left = this.#quarantinedUntil - clock.monotonic();
    return {
      id: this.target.id,
      state: this.#state,
      connection: this.#connection,
      drift: this.#connection === undefined ? undefined : driftOf(this.#connection.tools(), this.#deps.pins()),
      restarts: this.#guard.recent(clock.monotonic()),
      retryAt: this.#state === 'quarantined' && left > 0 ? toIso(clock.now() + left) : undefined,
      lastError: this.#lastError,
      references: this.#references,
    };
  }

  /** Ends the connection; the next call opens another. */
  async stop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    this.#state = 'idle';
    await connection.close();
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#over.abort(new CloutError('MCP_CONNECTION_FAILED', `The MCP server "${this.target.id}" was closed`));
    await this.#opening?.catch(() => undefined);
    await this.stop();
  }

  /** With `waitMs` it is a restart that nobody waits for, which is tried until the guard says no. */
  async #open(waitMs?: number): Promise<McpConnection> {
    const { clock, eras, starts } = this.#deps;
    const { signal } = this.#over;
    this.#state = waitMs === undefined ? 'starting' : 'restarting';
    const prior = eras.get(this.key);
    try {
      if (waitMs !== undefined && waitMs > 0) await clock.sleep(waitMs, signal);
      const connection = await starts.run(() => {
        signal.throwIfAborted();
        this.#state = 'starting';
        const onEra = eras.set.bind(undefined, this.key);
        return openServer(this.target, this.#deps, { prior, onEra, signal });
      });
      this.#opening = undefined;
      if (signal.aborted) {
        await connection.close();
        signal.throwIfAborted();
      }
      this.#adopt(connection);
      return connection;
    } catch (error) {
      eras.forget(this.key);
      this.#opening = undefined;
      this.#lastError = messageOf(error);
      this.#state = 'idle';
      if (!signal.aborted) this.#afterLoss(waitMs !== undefined);
      throw error;
    }
  }

  #adopt(connection: McpConnection): void {
    this.#connection = connection;
    this.#state = 'ready';
    this.#quarantinedUntil = 0;
    this.#lastError = undefined;
    if (this.#deps.pins() === undefined) this.#deps.pin(connection.tools());
    this.#noteTools(connection);
    connection.onToolsChanged(() => {
      connection.listTools().then(
        () => this.#noteTools(connection),
        () => undefined,
      );
    });
    void connection.closed.then((reason) => this.#lost(connection, reason));
  }

  #noteTools(connection: McpConnection): void {
    const drift = driftOf(connection.tools(), this.#deps.pins());
    if (drift === undefined) return;
    this.#deps.log('warn', 'MCP server offers tools that are not approved; they are off', {
      server: this.target.id,
      ...drift,
    });
  }

  /** Closes a connection that is of no use; `#lost` follows. */
  async #drop(connection: McpConnection, reason: string): Promise<void> {
    this.#lastError = reason;
    await connection.close();
    this.#lost(connection, reason);
  }

  #lost(connection: McpConnection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#lastError ??= reason;
    this.#state = 'idle';
    if (!this.#over.signal.aborted) this.#afterLoss(true);
  }

  /**
   * Counts a loss; starts again where somebody holds a reference. What others run is not ours to start: the next call or the
   * next look tries it again.
   */
  #afterLoss(restart: boolean): void {
    if (this.target.transport !== 'stdio') return;
    const verdict = this.#guard.lost(this.#deps.clock.monotonic());
    if ('quarantineMs' in verdict) return this.#quarantine(verdict.quarantineMs);
    if (!restart || this.#references === 0) return;
    this.#opening ??= this.#open(verdict.waitMs);
    this.#opening.catch(() => undefined);
  }

  #quarantine(ms: number): void {
    this.#state = 'quarantined';
    this.#quarantinedUntil = this.#deps.clock.monotonic() + ms;
    this.#deps.log('error', 'MCP server crashes in a loop and is left alone', { server: this.target.id, ms });
  }

  #quarantined(ms: number): CloutError {
    return new CloutError(
      'MCP_QUARANTINED',
      `The MCP server "${this.target.id}" crashed again and again: ${this.#lastError ?? 'no reason is known'}`,
      { retryAfter: Math.ceil(ms / 1000), details: { server: this.target.id, executed: 'no' } },
    );
  }

  #requireOpen(): void {
    const { signal } = this.#over;
    if (signal.aborted) throw signal.reason;
  }
}
