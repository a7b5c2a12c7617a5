import {
  ClaudeSDKError,
  CloutError,
  codeOf,
  NO_USAGE,
  type Agent,
  type AgentConfigInput,
  type MCPConnection,
  type MCPServerConfig,
  type NewRun,
  type SDKExecutionResult,
} from '@cloutagent/contract';
import { fillTemplate, newId, openSlots, ownValues } from '@cloutagent/kit';
import type { ModelOptions, ModelPort } from '../model/port.ts';
import type { PriceTable } from '../model/price.ts';
import { PROVIDERS, type ProviderProfile } from '../model/profile.ts';
import { resolveModel, type ResolvedModel } from '../model/registry.ts';
import { asSdkErrors, parseConfig, toOptions } from './agent-config.ts';
import { openConversation, toPrefix, withUser, type Conversation, type Prefix } from './conversation.ts';
import { openConversations } from './conversations.ts';
import { enableTools, withLostServers } from './enabled-tools.ts';
import { execute, type Emit, type ExecuteOptions, type ExecutionDeps } from './execute.ts';
import { guarded, openLimits, type Limits } from './limits.ts';
import { failureOf, toResult } from './result.ts';
import { toDefinitions, type ToolPort } from './tool-port.ts';

/** The tools of an agent's servers, opened for it and closed with it. */
export interface AgentTools {
  readonly port: ToolPort;
  readonly connections: readonly MCPConnection[];
  close(): Promise<void>;
}

export interface AgentsDeps extends ExecutionDeps {
  /** The model that executions talk to. Throws MODEL_KEY_MISSING. */
  readonly model: () => ModelPort | Promise<ModelPort>;
  /** Connects an agent's servers; one that cannot be reached is a connection with an error. */
  readonly openTools: (servers: readonly MCPServerConfig[]) => Promise<AgentTools>;
  readonly prices: PriceTable;
  readonly profile?: ProviderProfile | undefined;
  readonly simulated: boolean;
  readonly projectId: string;
  /** Executions at once; what is beyond waits in line. 10. */
  readonly maxConcurrent?: number | undefined;
}

/** The agents of a process, with the names of seed 003 "ClaudeSDKService Interface". */
export interface Agents {
  /** Connects the agent's servers. Throws `ClaudeSDKError` for bad configuration, or without a key. */
  createAgent(config: AgentConfigInput): Promise<Agent>;
  /** Failures of the run are results: `failed` or `timeout` with `error`. */
  executeAgent(agent: Pick<Agent, 'id'>, input: string, options?: ExecuteOptions): Promise<SDKExecutionResult>;
  /** The same with a chunk for everything that happens; a promise of `onChunk` holds the model up until it is settled. */
  streamExecution(
    agent: Pick<Agent, 'id'>,
    input: string,
    onChunk: Emit,
    options?: ExecuteOptions,
  ): Promise<SDKExecutionResult>;
  getAgent(agentId: string): Agent | undefined;
  listAgents(): readonly Agent[];
  /** Closes its servers in the background; executions under way fail. */
  deleteAgent(agentId: string): boolean;
  /** Tokens of a first request by the server's own count; undefined where it does not count. */
  countTokens(agent: Pick<Agent, 'id'>, input: string, signal?: AbortSignal): Promise<number | undefined>;
  close(): Promise<void>;
}

interface LiveAgent {
  readonly agent: Agent;
  readonly resolved: ResolvedModel;
  readonly tools: AgentTools;
  readonly port: ToolPort;
  readonly options: ModelOptions;
  /** Executions under way. */
  readonly running: Set<Limits>;
  /** The last prefix that was made: most executions have the same. */
  prefix: Prefix | undefined;
}

/** Each holds connections to its servers. */
const MAX_AGENTS = 1000;
/** Executions in line; each holds its input. */
const MAX_WAITING = 1000;

const noTools: AgentTools = {
  port: {
    tools: () => new Map(),
    call: () => Promise.reject(new CloutError('TOOL_NOT_FOUND', 'This agent has no tools')),
  },
  connections: [],
  close: async () => undefined,
};

export const openAgents = (deps: AgentsDeps): Agents => {
  const agents = new Map<string, LiveAgent>();
  const conversations = openConversations();
  const slots = openSlots(deps.maxConcurrent ?? 10, MAX_WAITING);
  const profile = deps.profile ?? PROVIDERS.anthropic;
  const closing = new Set<Promise<void>>();

  const createAgent = async (input: AgentConfigInput): Promise<Agent> => {
    const config = parseConfig(input);
    if (agents.size >= MAX_AGENTS && !agents.has(config.id))
      throw new ClaudeSDKError(`There are ${MAX_AGENTS} agents already; delete some`, 'INVALID_INPUT');
    const resolved = await asSdkErrors(() => resolveModel(deps.prices, config.model, deps.clock.now(), profile));
    await asSdkErrors(async () => deps.model());
    const servers = config.mcpServers ?? [];
    const tools = servers.length === 0 ? noTools : await deps.openTools(servers);
    const agent: Agent = {
      id: config.id,
      name: config.name,
      config,
      ...(servers.length === 0 ? {} : { mcpConnections: [...tools.connections] }),
    };
    const port = withLostServers(enableTools(tools.port, config.enabledTools, servers), codeOf);
    remove(config.id);
    const live = { agent, resolved, tools, port, options: toOptions(config), running: new Set<Limits>() };
    agents.set(config.id, { ...live, prefix: undefined });
    return agent;
  };

  const remove = (agentId: string): boolean => {
    const live = agents.get(agentId);
    if (live === undefined) return false;
    agents.delete(agentId);
    conversations.forget(agentId);
    for (const limit of live.running) limit.abort(new CloutError('SHUTTING_DOWN', 'The agent was deleted'));
    const closed = live.tools.close().catch(() => undefined);
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
    return true;
  };

  const require = (agentId: string): LiveAgent => {
    const live = agents.get(agentId);
    if (live === undefined) throw new ClaudeSDKError(`There is no agent ${agentId}`, 'NOT_FOUND');
    return live;
  };

  const prefixOf = (live: LiveAgent, variables: Readonly<Record<string, string>>): Prefix => {
    const system = fillTemplate(live.agent.config.systemPrompt, ownValues(variables));
    if (live.prefix?.system !== system)
      live.prefix = toPrefix(live.resolved.model, system, toDefinitions(live.port.tools()), live.options);
    return live.prefix;
  };

  const continued = (live: LiveAgent, id: string, options: ExecuteOptions): Conversation => {
    const kept = conversations.get(id);
    if (kept === undefined) return openConversation(prefixOf(live, options.variables ?? {}));
    if (kept.agentId !== live.agent.id)
      throw new CloutError('INVALID_INPUT', `The conversation ${id} belongs to another agent`);
    return kept.conversation;
  };

  /** In its slot, alone in its conversation. */
  const runOne = async (
    live: LiveAgent,
    input: string,
    options: ExecuteOptions,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<SDKExecutionResult> => {
    const { config } = live.agent;
    const conversationId = options.conversationId ?? newId('cnv', deps.clock);
    const leave = await conversations.enter(conversationId);
    try {
      const before = continued(live, conversationId, options);
      const text = fillTemplate(input, ownValues(options.variables ?? {}));
      const named: Emit = (chunk) =>
        emit(chunk.type === 'done' ? { ...chunk, result: { ...chunk.result, conversationId } } : chunk);
      const { result, conversation } = await execute(
        deps,
        {
          run: newRun(deps, live, text, options.userId),
          model: await deps.model(),
          price: live.resolved.price,
          tools: live.port,
          conversation: withUser(before, text),
          maxTokens: options.maxTokens ?? config.maxTokens,
          maxIterations: options.maxIterations ?? config.maxIterations,
          structured: config.outputSchema !== undefined,
          warnings: live.resolved.warning === undefined ? [] : [live.resolved.warning],
        },
        named,
        signal,
      );
      if (conversation !== undefined && agents.has(live.agent.id))
        conversations.put(conversationId, { agentId: live.agent.id, conversation });
      return { ...result, conversationId };
    } finally {
      leave();
    }
  };

  const run = async (
    { id }: Pick<Agent, 'id'>,
    input: string,
    options: ExecuteOptions,
    onChunk: Emit,
  ): Promise<SDKExecutionResult> => {
    const live = require(id);
    const startedAt = deps.clock.monotonic();
    const limit = openLimits(deps.clock, options.signal, options.timeout);
    live.running.add(limit);
    const emit = guarded(onChunk, limit);
    let leave: (() => void) | undefined;
    try {
      leave = await slots.take(limit.signal, (position) => {
        void emit({ type: 'waiting', reason: 'slot', position });
      });
      if (leave === undefined)
        throw new CloutError('RATE_LIMIT_EXCEEDED', `${MAX_WAITING} executions wait already`, { retryAfter: 5 });
      return await runOne(live, input, options, emit, limit.signal);
    } catch (error) {
      const result = refused(deps, error, limit.signal, deps.clock.monotonic() - startedAt);
      await emit({ type: 'error', error: result.error ?? '', code: result.errorCode });
      await emit({ type: 'done', result });
      return result;
    } finally {
      leave?.();
      live.running.delete(limit);
      limit.close();
    }
  };

  return {
    createAgent,
    executeAgent: (agent, input, options = {}) => run(agent, input, options, () => undefined),
    streamExecution: (agent, input, onChunk, options = {}) => run(agent, input, options, onChunk),
    getAgent: (agentId) => agents.get(agentId)?.agent,
    listAgents: () => [...agents.values()].map(({ agent }) => agent),
    deleteAgent: remove,
    countTokens: async ({ id }, input, signal = new AbortController().signal) => {
      const live = require(id);
      const { model, system, tools, options } = prefixOf(live, {});
      const messages = [{ role: 'user', content: input }] as const;
      const port = await deps.model();
      return port.countTokens?.({ model, system, tools, options, messages, maxTokens: 1 }, signal);
    },
    close: async () => {
      for (const id of agents.keys()) remove(id);
      await Promise.all(closing);
    },
  };
};

/** An execution as a workflow of one agent, so that a store keeps, lists and prices it like any other run. */
const newRun = (
  deps: AgentsDeps,
  { agent, resolved }: LiveAgent,
  input: string,
  startedBy: string | undefined,
): NewRun => {
  const { name, systemPrompt, maxTokens, maxIterations, enabledTools, mcpServers = [] } = agent.config;
  const data = {
    label: name,
    model: resolved.model,
    systemPrompt,
    maxTokens,
    maxIterations,
    enabledTools,
    mcpServers: mcpServers.map(({ id }) => ({ id })),
  };
  return {
    id: newId('run', deps.clock),
    projectId: deps.projectId,
    document: {
      format: 1,
      kind: 'workflow',
      slug: agent.id,
      title: name,
      model: resolved.model,
      input,
      variables: {},
      workflow: { format: 1, nodes: [{ id: 'agent', type: 'agent', data }], edges: [], variables: {} },
      workflows: {},
    },
    documentHash: '',
    simulated: deps.simulated,
    limitNanoUsd: null,
    ...(startedBy === undefined ? {} : { startedBy }),
  };
};

const NOTHING = { usage: NO_USAGE, costNanoUsd: 0, modelCalls: 0, toolCalls: [] };

/** An execution that never began: no slot, no model, a conversation of somebody else. */
const refused = (deps: AgentsDeps, error: unknown, signal: AbortSignal, duration: number): SDKExecutionResult => {
  const execution = { id: newId('run', deps.clock), structured: false, warnings: [] };
  return toResult(execution, NOTHING, undefined, failureOf(error, signal), duration);
};
