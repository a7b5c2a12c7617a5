import { createHash } from 'node:crypto';
import type { McpTool } from '@cloutagent/contract';

/** Longest tool name that the Messages API takes: `^[a-zA-Z0-9_-]{1,128}$`. */
const MAX_LENGTH = 128;
const HASH_LENGTH = 8;

/**
 * Names for the Messages API, `mcp__server__tool`, sorted, each mapped back to its tool. Illegal characters become
 * `_`; a name that is too long, or that two tools would share, ends in a hash of server and tool. The names depend
 * on the set of tools only, not on its order.
 */
export const toWireNames = (tools: readonly McpTool[]): ReadonlyMap<string, McpTool> => {
  const byPlainName = new Map<string, McpTool[]>();
  for (const tool of tools) {
    const name = plainName(tool);
    byPlainName.set(name, [...(byPlainName.get(name) ?? []), tool]);
  }
  const named: [string, McpTool][] = [];
  for (const [name, sharing] of byPlainName) {
    for (const tool of sharing)
      named.push([sharing.length === 1 && name.length <= MAX_LENGTH ? name : hashedName(name, tool), tool]);
  }
  return new Map(named.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
};

const plainName = (tool: McpTool): string => `mcp__${tool.server}__${tool.name}`.replaceAll(/[^a-zA-Z0-9_-]/gu, '_');

const hashedName = (name: string, tool: McpTool): string => {
  const hash = createHash('sha256')
    .update(JSON.stringify([tool.server, tool.name]))
    .digest('hex')
    .slice(0, HASH_LENGTH);
  return `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`;
};
