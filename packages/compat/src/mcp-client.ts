import {
  MCPError,
  MCPServerConfig,
  type MCPServerConfigInput,
  type MCPTool,
  type ToolCallResult,
} from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import type { Lease, ServerReport } from '@cloutagent/mcp';
import { openSeedServers, textOf, toSeedTool, type SeedServers } from './servers.ts';

export type ConnectionStatus = 'connected' | 'connecting' | 'disconnected' | 'error';

const STATUS: Readonly<Record<ServerReport['state'], ConnectionStatus>> = {
  idle: 'disconnected',
  starting: 'connecting',
  ready: 'connected',
  restarting: 'connecting',
  quarantined: 'error',
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Seed 003 "MCPClient Interface": one server. */
export class MCPClient {
  readonly #config: MCPServerConfig;
  readonly #own: boolean;
  #servers: SeedServers | undefined;
  #lease: Lease | undefined;
  #failed = false;
  #connecting = false;
  #calls = 0;

  /** `servers` is the pool that this client belongs to; without it it has one of its own. */
  constructor(config: MCPServerConfigInput, servers?: SeedServers) {
    this.#config = MCPServerConfig.parse(config);
    this.#own = servers === undefined;
    this.#servers = servers;
  }

  get id(): string {
    return this.#config.id;
  }

  get name(): string {
    return this.#config.name;
  }

  /** Throws MCPError CONNECTION_FAILED. */
  async connect(): Promise<void> {
    if (this.#lease !== undefined) return;
    this.#connecting = true;
    this.#servers ??= openSeedServers();
    this.#servers.configs.set(this.id, this.#config);
    try {
      this.#lease = await this.#servers.pool.open([{ id: this.id }]);
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      await this.#closeOwn();
      const message = `Failed to connect to MCP server: ${messageOf(error)}`;
      throw new MCPError(message, this.id, 'CONNECTION_FAILED', error);
    } finally {
      this.#connecting = false;
    }
  }

  /** Ends the server's process too. */
  async disconnect(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.close();
    await this.#servers?.pool.drop(this.id);
    await this.#closeOwn();
  }

  async #closeOwn(): Promise<void> {
    if (!this.#own) return;
    await this.#servers?.pool.close();
    this.#servers = undefined;
  }

  /** Throws MCPError SERVER_NOT_CONNECTED. */
  async discoverTools(): Promise<MCPTool[]> {
    return [...this.#connected().tools().values()].map(toSeedTool);
  }

  /** What goes wrong in a call is a result with `success: false`. */
  async executeTool(toolName: string, args: Record<string, unknown>): Promise<ToolCallResult> {
    const startedAt = systemClock.monotonic();
    this.#calls += 1;
    const call = { id: `tool-${this.id}-${this.#calls}`, name: toolName, input: args };
    const duration = (): number => systemClock.monotonic() - startedAt;
    try {
      const lease = this.#connected();
      const options = { signal: new AbortController().signal, idempotencyKey: call.id };
      const result = await lease.call(lease.tool(`${this.id}:${toolName}`), args, options);
      const output = textOf(result);
      if (result.isError) return { ...call, output: '', duration: duration(), success: false, error: output };
      return { ...call, output, duration: duration(), success: true };
    } catch (error) {
      return { ...call, output: '', duration: duration(), success: false, error: messageOf(error) };
    }
  }

  async checkHealth(): Promise<boolean> {
    if (this.#lease === undefined) return false;
    await this.#servers?.pool.check();
    return this.getStatus() === 'connected';
  }

  getStatus(): ConnectionStatus {
    if (this.#connecting) return 'connecting';
    if (this.#lease === undefined) return this.#failed ? 'error' : 'disconnected';
    const report = this.#servers?.pool.reports().find(({ id }) => id === this.id);
    return report === undefined ? 'disconnected' : STATUS[report.state];
  }

  #connected(): Lease {
    if (this.#lease === undefined)
      throw new MCPError(`Server not connected: ${this.id}`, this.id, 'SERVER_NOT_CONNECTED');
    return this.#lease;
  }
}
