import type { ModelPort, PriceTable, TaskGraph, ToolPort, WorkflowPorts } from '@cloutagent/engine';
import type { Store } from '@cloutagent/store';

/** Nodes of one run that are at work at a time, where the workflow does not say: agents wait for the network, not for us. */
const CONCURRENCY = 16;
/** Model calls of an agent node that names no number. */
const MAX_ITERATIONS = 20;

const only = (port: ToolPort, servers: readonly string[]): ToolPort => {
  const wanted = new Set(servers);
  const chosen = new Map([...port.tools()].filter(([, { server }]) => wanted.has(server)));
  const { refuse } = port;
  return {
    tools: () => chosen,
    call: (tool, input, options) => port.call(tool, input, options),
    ...(refuse === undefined ? {} : { refuse: (tool, input) => refuse.call(port, tool, input) }),
  };
};

/** What workflows use of this process. */
export const workflowPorts = (deps: {
  readonly model: (simulated: boolean) => Promise<ModelPort>;
  /** Tools of every server, closed to what no agent may touch. */
  readonly tools: () => Promise<ToolPort>;
  readonly prices: PriceTable;
  readonly store: Store;
  readonly taskGraph: TaskGraph;
  readonly maxTokens: number;
}): WorkflowPorts => ({
  model: ({ simulated }) => deps.model(simulated),
  tools: async (servers) => only(await deps.tools(), servers),
  prices: deps.prices,
  prefixes: deps.store,
  taskGraph: deps.taskGraph,
  defaults: { maxTokens: deps.maxTokens, maxIterations: MAX_ITERATIONS, concurrency: CONCURRENCY },
});
