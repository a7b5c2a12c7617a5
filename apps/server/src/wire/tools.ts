import type { ToolPort } from '@cloutagent/engine';
import type { Lease } from '@cloutagent/mcp';
import type { McpServers } from './mcp.ts';

export interface ToolSource {
  /** Tools of the project's files and of the servers that its configuration names, on connections that are kept alive. */
  open(): Promise<ToolPort>;
  close(): Promise<void>;
}

/** Holds the servers of runs: opened by the first use, shared by all runs, opened anew after an administrator changed one. */
export const createToolSource = (mcp: McpServers, servers: readonly string[]): ToolSource => {
  const ids = [...new Set(['filesystem', ...servers])];
  let current: Promise<Lease> | undefined;
  const opened: Promise<Lease>[] = [];
  mcp.onChange(() => {
    current = undefined;
  });
  return {
    open: () => {
      if (current !== undefined) return current;
      const opening = mcp.pool.open(ids.map((id) => ({ id })));
      current = opening;
      opened.push(opening);
      opening.catch(() => {
        if (current === opening) current = undefined;
      });
      return opening;
    },
    close: async () => {
      for (const lease of await Promise.allSettled(opened)) if (lease.status === 'fulfilled') await lease.value.close();
    },
  };
};
