import type { MCPServerConfig, McpTool } from '@cloutagent/contract';
import type { ToolPort } from './tool-port.ts';

/**
 * The tools that an agent may use: all where nothing is listed, else those named as `server:tool`, `server:*` or by wire
 * name. A server goes by its id and by its name.
 */
export const enableTools = (
  port: ToolPort,
  enabled: readonly string[],
  servers: readonly Pick<MCPServerConfig, 'id' | 'name'>[],
): ToolPort => {
  if (enabled.length === 0) return port;
  const named = new Set(enabled);
  const isEnabled = (wireName: string, tool: McpTool): boolean => {
    if (named.has(wireName)) return true;
    const ids = [tool.server, ...servers.filter(({ id }) => id === tool.server).map(({ name }) => name)];
    return ids.some((id) => named.has(`${id}:${tool.name}`) || named.has(`${id}:*`) || named.has(`mcp__${id}__*`));
  };
  const chosen = new Map([...port.tools()].filter(([name, tool]) => isEnabled(name, tool)));
  return { ...bound(port), tools: () => chosen };
};

/** Ports may be objects with private parts, which a spread would lose. */
const bound = (port: ToolPort): ToolPort => ({
  tools: () => port.tools(),
  call: (tool, input, options) => port.call(tool, input, options),
  ...(port.refuse === undefined ? {} : { refuse: async (tool: McpTool, input: unknown) => port.refuse?.(tool, input) }),
});

/**
 * Tools of a run that nobody can resume: a server that is lost fails the call, not the agent, and the agent is told that
 * the call may have taken effect.
 */
export const withLostServers = (port: ToolPort, codeOf: (error: unknown) => string | undefined): ToolPort => ({
  ...bound(port),
  call: async (tool, input, options) => {
    try {
      return await port.call(tool, input, options);
    } catch (error) {
      if (codeOf(error) !== 'MCP_CONNECTION_FAILED' || options.signal.aborted) throw error;
      const text =
        `The server ${tool.server} was lost during this call, so it is not known whether it took effect. ` +
        'Look before you repeat it.';
      return { content: [{ type: 'text', text }], isError: true };
    }
  },
});
