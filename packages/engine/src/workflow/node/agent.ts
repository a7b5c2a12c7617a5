import { CloutError, type AgentNode } from '@cloutagent/contract';
import { fillTemplate } from '@cloutagent/kit';
import type * as z from 'zod';
import { openConversation, toPrefix, withUser } from '../../agent/conversation.ts';
import { runAgent } from '../../agent/loop.ts';
import { toDefinitions, type ToolPort } from '../../agent/tool-port.ts';
import { priceFor } from '../../model/price.ts';
import type { NodeResult, NodeWork } from '../context.ts';

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
  const use = {
    port: await ports.model({ simulated: drive.claim.run.simulated }),
    price: priceFor(ports.prices, model),
    prefixes: ports.prefixes,
    maxTokens: data.maxTokens ?? ports.defaults.maxTokens,
  };
  const end = await runAgent(drive, use, tools, {
    prefix: key,
    conversation: withUser(openConversation(prefix), prompt),
    maxIterations: data.maxIterations ?? ports.defaults.maxIterations,
  });
  if (end.failure !== null) throw new CloutError(end.failure.code, end.failure.message);
  return { output: end.text };
};
