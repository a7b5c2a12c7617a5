import {
  MCPError,
  type MCPConnection,
  type MCPServerConfigInput,
  type MCPTool,
  type ToolCallResult,
} from '@cloutagent/contract';
import { MCPClient } from './mcp-client.ts';
import { openSeedServers } from './servers.ts';

/** Seed 003 "MCPClientPool Interface": several servers, their tools named `server:tool`. */
export class MCPClientPool {
  readonly #servers = openSeedServers();
  readonly #clients = new Map<string, MCPClient>();

  /** Throws MCPError ADD_SERVER_FAILED. */
  async addServer(config: MCPServerConfigInput): Promise<MCPConnection> {
    await this.removeServer(config.id);
    try {
      const client = new MCPClient(config, this.#servers);
      await client.connect();
      this.#clients.set(client.id, client);
      return await this.#connection(client);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new MCPError(`Failed to add MCP server: ${why}`, config.id, 'ADD_SERVER_FAILED', error);
    }
  }

  async removeServer(serverId: string): Promise<void> {
    const client = this.#clients.get(serverId);
    this.#clients.delete(serverId);
    await client?.disconnect();
    this.#servers.configs.delete(serverId);
  }

  async getAllTools(): Promise<MCPTool[]> {
    const lists = await Promise.all(
      [...this.#clients.values()].map(async (client) =>
        (await client.discoverTools()).map((tool) => ({ ...tool, name: `${client.name}:${tool.name}` })),
      ),
    );
    return lists.flat();
  }

  /** Takes `server:tool`, the server by its name or id. Throws MCPError TOOL_NOT_FOUND or SERVER_NOT_CONNECTED. */
  async executeTool(toolName: string, args: Record<string, unknown>): Promise<ToolCallResult> {
    const colon = toolName.indexOf(':');
    const server = toolName.slice(0, Math.max(0, colon));
    const name = toolName.slice(colon + 1);
    const client = [...this.#clients.values()].find((one) => one.name === server || one.id === server);
    if (client === undefined) throw new MCPError(`Tool not found: ${toolName}`, 'unknown', 'TOOL_NOT_FOUND');
    if (!(await client.discoverTools()).some((tool) => tool.name === name))
      throw new MCPError(`Tool not found: ${toolName}`, client.id, 'TOOL_NOT_FOUND');
    return client.executeTool(name, args);
  }

  async getConnections(): Promise<MCPConnection[]> {
    return Promise.all([...this.#clients.values()].map(async (client) => this.#connection(client)));
  }

  getClient(serverId: string): MCPClient | undefined {
    return this.#clients.get(serverId);
  }

  async healthCheck(): Promise<Record<string, boolean>> {
    await this.#servers.pool.check();
    return Object.fromEntries([...this.#clients].map(([id, client]) => [id, client.getStatus() === 'connected']));
  }

  /** Ends every server. */
  async destroy(): Promise<void> {
    this.#clients.clear();
    await this.#servers.pool.close();
  }

  async #connection(client: MCPClient): Promise<MCPConnection> {
    return {
      serverId: client.id,
      serverName: client.name,
      status: client.getStatus(),
      tools: await client.discoverTools(),
    };
  }
}
