import { CloutError, type MCPServerConfig, type MCPTool, type McpTool, type McpToolResult } from '@cloutagent/contract';
import { systemClock, systemRandom } from '@cloutagent/kit';
import { createPool, type McpPool, type Target } from '@cloutagent/mcp';
import { readEnvironment } from './environment.ts';

const targetOf = (config: MCPServerConfig): Target => {
  const { id, command, args, env = {}, transport, url = '' } = config;
  if (transport === 'stdio') return { transport, id, command, args, env, cwd: readEnvironment().cwd };
  // The seed's servers stand where whoever writes the code puts them, this machine included.
  return { transport, id, url, headers: {}, allowNetworks: ['loopback'] };
};

/** Servers by id, and the pool that keeps them alive. */
export interface SeedServers {
  readonly pool: McpPool;
  readonly configs: Map<string, MCPServerConfig>;
}

export const openSeedServers = (): SeedServers => {
  const configs = new Map<string, MCPServerConfig>();
  const pool = createPool({
    servers: {
      find: async ({ id }) => {
        const config = configs.get(id);
        if (config === undefined) throw new CloutError('NOT_FOUND', `There is no MCP server ${id}`);
        return { target: targetOf(config), idleMs: 0 };
      },
      pins: () => undefined,
      pin: () => undefined,
    },
    env: readEnvironment().variables,
    clock: systemClock,
    random: systemRandom,
    log: () => undefined,
  });
  return { pool, configs };
};

export const toSeedTool = ({ name, description, inputSchema }: McpTool): MCPTool => {
  const { properties, required } = inputSchema;
  return {
    name,
    description,
    inputSchema: {
      ...inputSchema,
      type: 'object',
      // A server may leave it out; the seed's type has it always.
      properties: typeof properties === 'object' && properties !== null ? { ...properties } : {},
      ...(Array.isArray(required) ? { required: required.map(String) } : {}),
    },
  };
};

export const textOf = ({ content }: McpToolResult): string =>
  content.map((item) => (typeof item['text'] === 'string' ? item['text'] : JSON.stringify(item))).join('\n');
