import { toDefinitions, toPrefix, type Prefix, type ToolPort } from '@cloutagent/engine';
import type { RunDocument } from '@cloutagent/contract';

/** Each tool costs its description at every call, so only those that file tasks need; none of them deletes. */
const ALLOWED = new Set([
  'read_text_file',
  'write_file',
  'edit_file',
  'create_directory',
  'list_directory',
  'search_files',
]);

/** The file tools that tasks need and all tools of the other servers that the project chose, sorted and frozen for the run. */
export const runTools = (port: ToolPort): ToolPort => {
  const chosen = new Map(
    [...port.tools()]
      .filter(([, tool]) => tool.server !== 'filesystem' || ALLOWED.has(tool.name))
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  return { tools: () => chosen, call: (tool, input, options) => port.call(tool, input, options) };
};

export const prefixOf = (document: RunDocument, tools: ToolPort): Prefix =>
  toPrefix(document.model, document.system, toDefinitions(tools.tools()));
