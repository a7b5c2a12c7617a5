import { CloutError, type AgentNode } from '@cloutagent/contract';
import { fillTemplate, templateNames } from '@cloutagent/kit';
import type * as z from 'zod';
import { openConversation, toPrefix, withUser, type Prefix } from '../../agent/conversation.ts';
import { runAgent } from '../../agent/loop.ts';
import { toDefinitions, type ToolPort } from '../../agent/tool-port.ts';
import { BYTES_PER_TOKEN } from '../../budget/estimate.ts';
import { isCached, type CacheMarks } from '../../model/cache.ts';
import { priceFor, type Price } from '../../model/price.ts';
import type { NodeResult, NodeWork, ScopeContext } from '../context.ts';

type Agent = z.infer<typeof AgentNode>;

const NO_TOOLS: ToolPort = {
  tools: () => new Map(),
  call: async () => {
    throw new CloutError('INTERNAL_ERROR', 'There are no tools');
  },
};

/** The tools that the node names among those of its servers; all of them where it names none. */
const chosenTools = (port: ToolPort, enabled: readonly string[]): ToolPort => {
  const wanted = new Set(enabled);
  const chosen = new Map(
    [...port.tools()].filter(
      ([wire, { server, name }]) =>
        wanted.size === 0 ||
        wanted.has(name) ||
        wanted.has(wire) ||
        wanted.has(`${server}:${name}`) ||
        wanted.has(`${server}:*`),
    ),
  );
  const { refuse } = port;
  return {
    tools: () => chosen,
    call: (tool, input, options) => port.call(tool, input, options),
    ...(refuse === undefined ? {} : { refuse: (tool, input) => refuse.call(port, tool, input) }),
  };
};

const serversOf = ({ mcpServers = [] }: Agent['data']): readonly string[] =>
  mcpServers.map((server) => (typeof server === 'string' ? server : server.id));

/** Whether other calls of the run begin with the same tools and system prompt, and come after one another. */
const isShared = ({ scope, variables, repeated }: ScopeContext, node: Agent): boolean => {
  const { model, systemPrompt = '', mcpServers, enabledTools } = node.data;
  if (!templateNames(systemPrompt).every((name) => Object.hasOwn(variables, name))) return false;
  if (repeated) return true;
  const begins = JSON.stringify([model, systemPrompt, mcpServers, enabledTools]);
  return [...scope.nodes.values()].some(
    ({ id, type, data }) =>
      id !== node.id &&
      type === 'agent' &&
      begins === JSON.stringify([data.model, data.systemPrompt ?? '', data.mcpServers, data.enabledTools]) &&
      (scope.before(id).has(node.id) || scope.before(node.id).has(id)),
  );
};

/** What of an agent's prompt is sent again: all of it in a loop with tools, else its beginning where that is long and shared. */
const cacheOf = (
  context: ScopeContext,
  node: Agent,
  { prefix, price, maxIterations }: { readonly prefix: Prefix; readonly price: Price; readonly maxIterations: number },
): CacheMarks | undefined => {
  if (prefix.tools.length > 0 && maxIterations > 1) return 'conversation';
  return isCached(price, prefix.bytes / BYTES_PER_TOKEN) && isShared(context, node) ? 'prefix' : undefined;
};

/** Runs the tool loop of an agent; its last words are the output. */
export const runAgentNode = async ({
  node,
  key,
  input,
  drive,
  valueOf,
  context,
}: NodeWork<Agent>): Promise<NodeResult> => {
  const { run, workflow } = context;
  const { ports, document } = run;
  const { data } = node;
  const model = data.model ?? workflow.model ?? document.model;
  const servers = serversOf(data);
  const tools = servers.length === 0 ? NO_TOOLS : chosenTools(await ports.tools(servers), data.enabledTools ?? []);
  const prefix = toPrefix(model, fillTemplate(data.systemPrompt ?? '', valueOf), toDefinitions(tools.tools()), {
    temperature: data.temperature,
  });
  const prompt = data.prompt === undefined ? input : fillTemplate(data.prompt, valueOf);
  if (prompt.trim() === '') throw new CloutError('NODE_FAILED', 'The agent has no input, and a model needs some');
  const price = priceFor(ports.prices, model);
  const maxIterations = data.maxIterations ?? ports.defaults.maxIterations;
  const use = {
    port: await ports.model({ simulated: drive.claim.run.simulated }),
    price,
    prefixes: ports.prefixes,
    maxTokens: data.maxTokens ?? ports.defaults.maxTokens,
  };
  const end = await runAgent(drive, use, tools, {
    prefix: key,
    conversation: withUser(openConversation(prefix), prompt),
    maxIterations,
    cache: cacheOf(context, node, { prefix, price, maxIterations }),
  });
  if (end.failure !== null) throw new CloutError(end.failure.code, end.failure.message);
  return { output: end.text };
};
