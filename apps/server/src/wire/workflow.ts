import type { ModelPort, PriceTable, TaskGraph, ToolPort, WorkflowPorts } from '@cloutagent/engine';
import type { Store } from '@cloutagent/store';

/** Nodes of one run that are at work at a time, where the workflow does not say: agents wait for the network, not for us. */
const CONCURRENCY = 16;
/** Model calls of an agent node that names no number. */
const MAX_ITERATIONS = 20;

/** What workflows use of this process. */
export const workflowPorts = (deps: {
  readonly model: (simulated: boolean) => Promise<ModelPort>;
  /** Tools of these servers, closed to what no agent may touch. */
  readonly tools: (servers: readonly string[]) => Promise<ToolPort>;
  readonly prices: PriceTable;
  readonly store: Store;
  readonly taskGraph: TaskGraph;
  readonly maxTokens: number;
}): WorkflowPorts => ({
  model: ({ simulated }) => deps.model(simulated),
  tools: (servers) => deps.tools(servers),
  prices: deps.prices,
  prefixes: deps.store,
  taskGraph: deps.taskGraph,
  defaults: { maxTokens: deps.maxTokens, maxIterations: MAX_ITERATIONS, concurrency: CONCURRENCY },
});
