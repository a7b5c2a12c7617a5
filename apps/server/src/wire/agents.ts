import { readFile, rename, writeFile } from 'node:fs/promises';
import {
  AgentCreate,
  CloutError,
  type AgentView,
  type ExecutionOptions,
  type MCPConnection,
  type SDKExecutionResult,
} from '@cloutagent/contract';
import {
  openAgents,
  type Agents,
  type AgentsDeps,
  type AgentTools,
  type Emit,
  type ModelPort,
  type PriceTable,
  type ProviderProfile,
} from '@cloutagent/engine';
import { systemRandom, type Clock } from '@cloutagent/kit';
import * as z from 'zod';
import type { McpServers } from './mcp.ts';

/** The agents of a data folder. They are connected when they are first used. */
export interface ServerAgents {
  create(config: AgentCreate): Promise<AgentView>;
  list(): Promise<readonly AgentView[]>;
  /** Throws NOT_FOUND. */
  show(id: string): Promise<AgentView>;
  /** Throws NOT_FOUND. */
  remove(id: string): Promise<void>;
  /** Failures of the execution are results. Throws NOT_FOUND, MODEL_KEY_MISSING, MODEL_RETIRED, PRICE_UNKNOWN. */
  execute(
    id: string,
    input: string,
    options: ExecutionOptions & { readonly signal: AbortSignal },
    emit: Emit,
  ): Promise<SDKExecutionResult>;
  countTokens(id: string, input: string, signal: AbortSignal): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface ServerAgentsDeps {
  readonly file: string;
  readonly journal: AgentsDeps['journal'];
  readonly people: NonNullable<AgentsDeps['people']>;
  readonly mcp: McpServers;
  readonly model: (simulated: boolean) => Promise<ModelPort>;
  readonly profile: (simulated: boolean) => ProviderProfile | undefined;
  readonly prices: PriceTable;
  readonly projectId: string;
  readonly maxConcurrent: number;
  readonly clock: Clock;
}

const MAX_AGENTS = 1000;

const idOf = (server: AgentCreate['mcpServers'][number]): string => (typeof server === 'string' ? server : server.id);

export const openServerAgents = (deps: ServerAgentsDeps): ServerAgents => {
  let known: Promise<Map<string, AgentCreate>> | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const live = { real: openLive(deps, false), simulated: openLive(deps, true) };
  const agentsOf = (config: AgentCreate): Agents => (config.simulate ? live.simulated : live.real);

  const read = (): Promise<Map<string, AgentCreate>> => {
    known ??= readAgents(deps.file);
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
  const save = async (agents: ReadonlyMap<string, AgentCreate>): Promise<void> => {
    const write = writing.then(() => writeAgents(deps.file, [...agents.values()]));
    writing = write.catch(() => undefined);
    await write;
  };
  const find = async (id: string): Promise<AgentCreate> => {
    const config = (await read()).get(id);
    if (config === undefined) {
      throw new CloutError('NOT_FOUND', `There is no agent "${id}"`, { hint: 'GET /api/agents lists them' });
    }
    return config;
  };
  /** Connects an agent that was not used since the server started. */
  const connect = async (config: AgentCreate): Promise<Agents> => {
    const agents = agentsOf(config);
    if (agents.getAgent(config.id) === undefined) {
      const { simulate: _simulate, mcpServers, ...rest } = config;
      const servers = mcpServers.map(idOf).map((id) => ({ id, name: id, command: id, transport: 'stdio' as const }));
      try {
        await agents.createAgent({ ...rest, mcpServers: servers });
      } catch (error) {
        throw toCloutError(error);
      }
    }
    return agents;
  };
  const view = (config: AgentCreate): AgentView => {
    const connections = agentsOf(config).getAgent(config.id)?.mcpConnections;
    const { id, name, simulate: simulated } = config;
    return {
      id,
      name,
      config: withoutSecrets(config),
      simulated,
      ...(connections === undefined ? {} : { mcpConnections: connections }),
    };
  };

  return {
    create: async (config) => {
      const agents = await read();
      if (agents.size >= MAX_AGENTS && !agents.has(config.id))
        throw new CloutError('INVALID_INPUT', `There are ${MAX_AGENTS} agents already`, { hint: 'Delete some' });
      const before = agents.get(config.id);
      if (before !== undefined) agentsOf(before).deleteAgent(config.id);
      await connect(config);
      agents.set(config.id, config);
      await save(agents);
      return view(config);
    },
    list: async () => [...(await read()).values()].map(view),
    show: async (id) => view(await find(id)),
    remove: async (id) => {
      const config = await find(id);
      agentsOf(config).deleteAgent(id);
      const agents = await read();
      agents.delete(id);
      await save(agents);
    },
    execute: async (id, input, options, emit) =>
      (await connect(await find(id))).streamExecution({ id }, input, emit, options),
    countTokens: async (id, input, signal) => (await connect(await find(id))).countTokens({ id }, input, signal),
    close: async () => {
      await Promise.all([live.real.close(), live.simulated.close()]);
    },
  };
};

const openLive = (deps: ServerAgentsDeps, simulated: boolean): Agents =>
  openAgents({
    journal: deps.journal,
    people: deps.people,
    clock: deps.clock,
    random: systemRandom,
    model: () => deps.model(simulated),
    openTools: (servers) =>
      openTools(
        deps.mcp,
        servers.map(({ id }) => id),
      ),
    prices: deps.prices,
    profile: deps.profile(simulated),
    simulated,
    projectId: deps.projectId,
    maxConcurrent: deps.maxConcurrent,
  });

/** Leases the servers; one that cannot be reached, or is not approved, is a connection with an error. */
const openTools = async ({ pool }: McpServers, ids: readonly string[]): Promise<AgentTools> => {
  const lease = await pool.open(
    ids.map((id) => ({ id })),
    { partial: true },
  );
  const connections = ids.map((id): MCPConnection => {
    const failure = lease.failures.find((failed) => failed.id === id);
    if (failure === undefined) {
      const tools = [...lease.tools().values()].filter(({ server }) => server === id);
      return { serverId: id, serverName: id, status: 'connected', tools: tools.map(toSeedTool) };
    }
    const error = failure.error instanceof CloutError ? failure.error.message : 'The server cannot be reached';
    return { serverId: id, serverName: id, status: 'error', tools: [], error };
  });
  return {
    port: { tools: () => lease.tools(), call: (tool, input, options) => lease.call(tool, input, options) },
    connections,
    close: () => lease.close(),
  };
};

type SeedTool = MCPConnection['tools'][number];

const toSeedTool = (tool: {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}): SeedTool => {
  const { name, description, inputSchema } = tool;
  const { properties, required: _required, ...schema } = inputSchema;
  const own = typeof properties === 'object' && properties !== null ? { ...properties } : {};
  return { name, description, inputSchema: { ...schema, type: 'object', properties: own } };
};

/** The engine throws errors of the seed's kind, with codes of ours. */
const toCloutError = (error: unknown): unknown => {
  if (!(error instanceof Error) || error.name !== 'ClaudeSDKError' || !('code' in error)) return error;
  const { code } = error;
  return code === 'MODEL_KEY_MISSING' || code === 'PRICE_UNKNOWN' || code === 'MODEL_RETIRED'
    ? new CloutError(code, error.message)
    : new CloutError('INVALID_INPUT', error.message);
};

const SECRET = /token|secret|password|api[-_]?key|authorization/iu;

/** Hides what stands under names that look like secrets; an agent of the MCP connector carries tokens. */
const hide = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(hide);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, SECRET.test(name) ? '(hidden)' : hide(inner)]),
  );
};

const withoutSecrets = (config: AgentCreate): AgentCreate =>
  config.requestFields === undefined
    ? config
    : { ...config, requestFields: hide(config.requestFields) as Record<string, unknown> };

const AgentFile = z.object({ format: z.literal(1), agents: z.array(AgentCreate) });

const readAgents = async (file: string): Promise<Map<string, AgentCreate>> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // No file: there are no agents yet.
    return new Map();
  }
  try {
    const { agents } = AgentFile.parse(JSON.parse(text));
    return new Map(agents.map((agent) => [agent.id, agent]));
  } catch (cause) {
    throw new CloutError('STORAGE_CORRUPT', `${file} cannot be read`, { hint: 'Mend the file or put it aside', cause });
  }
};

/** Whole or not at all; for its owner only, because request fields may hold tokens. */
const writeAgents = async (file: string, agents: readonly AgentCreate[]): Promise<void> => {
  const fresh = `${file}.new`;
  await writeFile(fresh, `${JSON.stringify({ format: 1, agents }, undefined, 2)}\n`, { mode: 0o600 });
  await rename(fresh, file);
};
