import {
  CloutError,
  type Agent,
  type AgentConfigInput,
  type ExecutionOptions,
  type MCPConnection,
  type MCPServerConfig,
  type SDKExecutionResult,
  type StreamChunk,
} from '@cloutagent/contract';
import {
  createAnthropicModel,
  loadPrices,
  openAgents,
  openMemoryJournal,
  profileOf,
  type Agents,
  type AgentTools,
} from '@cloutagent/engine';
import { systemClock, systemRandom } from '@cloutagent/kit';
import { readEnvironment } from './environment.ts';
import { openSeedServers, toSeedTool } from './servers.ts';

/** What servers of the user's own get where no key is set; the SDK sends one always. */
const NO_KEY = 'no-key-is-needed';

/** Connects the servers of one agent; one that cannot be reached is a connection with an error. */
const openTools = async (configs: readonly MCPServerConfig[]): Promise<AgentTools> => {
  const servers = openSeedServers();
  for (const config of configs) servers.configs.set(config.id, config);
  const lease = await servers.pool.open(
    configs.map(({ id }) => ({ id })),
    { partial: true },
  );
  const tools = [...lease.tools().values()];
  const connections = configs.map(({ id, name }): MCPConnection => {
    const failure = lease.failures.find((failed) => failed.id === id);
    if (failure === undefined) {
      const own = tools.filter(({ server }) => server === id).map(toSeedTool);
      return { serverId: id, serverName: name, status: 'connected', tools: own };
    }
    const error = failure.error instanceof Error ? failure.error.message : String(failure.error);
    return { serverId: id, serverName: name, status: 'error', tools: [], error };
  });
  return {
    port: { tools: () => lease.tools(), call: (tool, input, options) => lease.call(tool, input, options) },
    connections,
    close: async () => {
      await lease.close();
      await servers.pool.close();
    },
  };
};

const openSeedAgents = (): Agents => {
  const { apiKey, apiUrl } = readEnvironment();
  const baseUrl = apiUrl ?? 'https://api.anthropic.com';
  const key = apiKey ?? (apiUrl === undefined ? undefined : NO_KEY);
  const profile = profileOf(baseUrl);
  const model = createAnthropicModel({ baseUrl, apiKey: key, clock: systemClock, profile });
  return openAgents({
    journal: openMemoryJournal(systemClock),
    clock: systemClock,
    random: systemRandom,
    model: () => {
      if (key === undefined || key === '') throw new CloutError('MODEL_KEY_MISSING', 'ANTHROPIC_API_KEY is not set');
      return model;
    },
    openTools,
    prices: loadPrices(),
    profile,
    simulated: false,
    projectId: 'default',
  });
};

/**
 * Seed 003 "ClaudeSDKService Interface". The key is `ANTHROPIC_API_KEY`, the server `ANTHROPIC_API_URL`; both are read when
 * the service is made. Only bad configuration and a missing key throw (`ClaudeSDKError`).
 */
export class ClaudeSDKService {
  readonly #agents = openSeedAgents();

  createAgent(config: AgentConfigInput): Promise<Agent> {
    return this.#agents.createAgent(config);
  }

  executeAgent(agent: Pick<Agent, 'id'>, input: string, options: ExecutionOptions = {}): Promise<SDKExecutionResult> {
    return this.#agents.executeAgent(agent, input, options);
  }

  /** A promise of `onChunk` holds the model up until it is settled. */
  streamExecution(
    agent: Pick<Agent, 'id'>,
    input: string,
    // The seed's own test hands over `(chunk) => chunks.push(chunk)`.
    onChunk: (chunk: StreamChunk) => unknown,
    options: ExecutionOptions = {},
  ): Promise<SDKExecutionResult> {
    const emit = async (chunk: StreamChunk): Promise<void> => {
      await onChunk(chunk);
    };
    return this.#agents.streamExecution(agent, input, emit, options);
  }

  getAgent(agentId: string): Agent | undefined {
    return this.#agents.getAgent(agentId);
  }

  deleteAgent(agentId: string): boolean {
    return this.#agents.deleteAgent(agentId);
  }

  /** Ends every server of every agent. */
  close(): Promise<void> {
    return this.#agents.close();
  }
}
