import { createHash } from 'node:crypto';
import { CloutError, type McpDrift, type McpTool } from '@cloutagent/contract';
import { canonicalJson } from '@cloutagent/kit';

/** Tools that an administrator has approved: name → digest of all that a model and a person see of it. */
export type ToolPins = Readonly<Record<string, string>>;

export const toolDigest = ({ name, description, inputSchema, annotations }: McpTool): string =>
  createHash('sha256').update(canonicalJson({ name, description, inputSchema, annotations })).digest('hex');

export const pinsOf = (tools: readonly McpTool[]): ToolPins =>
  Object.fromEntries(tools.map((tool) => [tool.name, toolDigest(tool)]));

const pinOf = (pins: ToolPins, name: string): string | undefined =>
  Object.hasOwn(pins, name) ? pins[name] : undefined;

/** The tools that are as they were approved; all of them where nothing is pinned. */
export const approvedTools = (tools: readonly McpTool[], pins: ToolPins | undefined): readonly McpTool[] =>
  pins === undefined ? tools : tools.filter((tool) => pinOf(pins, tool.name) === toolDigest(tool));

/** What differs from the approved tools; undefined where nothing does. */
export const driftOf = (tools: readonly McpTool[], pins: ToolPins | undefined): McpDrift | undefined => {
  if (pins === undefined) return undefined;
  const names = new Set(tools.map(({ name }) => name));
  const differing = tools.filter((tool) => pinOf(pins, tool.name) !== toolDigest(tool)).map(({ name }) => name);
  const drift = {
    added: differing.filter((name) => pinOf(pins, name) === undefined).sort(),
    changed: differing.filter((name) => pinOf(pins, name) !== undefined).sort(),
    removed: Object.keys(pins)
      .filter((name) => !names.has(name))
      .sort(),
  };
  return drift.added.length + drift.changed.length + drift.removed.length === 0 ? undefined : drift;
};

/** A tool that says something else than when it was approved may do something else. Throws MCP_NOT_APPROVED. */
export const requireUnchanged = (listed: readonly McpTool[], tool: McpTool): void => {
  const now = listed.find(({ name }) => name === tool.name);
  if (now === undefined || toolDigest(now) === toolDigest(tool)) return;
  throw new CloutError(
    'MCP_NOT_APPROVED',
    `The tool ${tool.name} of the MCP server "${tool.server}" has changed since it was approved`,
    { details: { server: tool.server, tool: tool.name } },
  );
};
