import type { ToolPort } from '@cloutagent/engine';
import type { Lease } from '@cloutagent/mcp';
import type { McpServers } from './mcp.ts';

export interface ToolSource {
  /**
   * Tools of these servers, on connections that are kept alive.
   * Errors: MCP_SERVER_NOT_FOUND, MCP_NOT_APPROVED, MCP_CONNECTION_FAILED, MCP_QUARANTINED.
   */
  open(servers: readonly string[]): Promise<ToolPort>;
  close(): Promise<void>;
}

/** Holds the servers of runs: opened by the first use, shared by all runs, opened anew after an administrator changed one. */
export const createToolSource = (mcp: McpServers): ToolSource => {
  // One for each set of servers that nodes name together; a server that is in several of them runs once.
  let current = new Map<string, Promise<Lease>>();
  const opened = new Set<Promise<Lease>>();
  mcp.onChange(() => {
    current = new Map();
  });
  return {
    open: (servers) => {
      const ids = [...new Set(servers)].toSorted();
      const key = ids.join(' ');
      const known = current.get(key);
      if (known !== undefined) return known;
      const opening = mcp.pool.open(ids.map((id) => ({ id })));
      const among = current;
      among.set(key, opening);
      opened.add(opening);
      opening.catch(() => {
        among.delete(key);
        opened.delete(opening);
      });
      return opening;
    },
    close: async () => {
      for (const lease of await Promise.allSettled(opened)) if (lease.status === 'fulfilled') await lease.value.close();
    },
  };
};
