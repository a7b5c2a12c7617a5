import { AGENTS } from './requirements/agents.ts';
import { BEYOND } from './requirements/beyond.ts';
import type { Clause } from './requirements/clause.ts';
import { CLIENTS } from './requirements/clients.ts';
import { TASK_GRAPH } from './requirements/task-graph.ts';
import { TASK_MCP } from './requirements/task-mcp.ts';

/**
 * Every promise, clause by clause: `T` Task MCP, `C` clients, `P` task graph, `E` agents, `X` beyond. A test cites the
 * clauses that it proves in its title: `it('[T6.null] reads null as absent', …)`. Ids never change their meaning.
 */
export const REQUIREMENTS: Readonly<Record<string, Clause>> = {
  ...TASK_MCP,
  ...CLIENTS,
  ...TASK_GRAPH,
  ...AGENTS,
  ...BEYOND,
};
