import type { AgentConfigInput, MCPServerConfig, McpTool, StreamChunk } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { openFakeModel, type FakeModel, type Script } from '../model/port.fake.ts';
import type { ModelPort } from '../model/port.ts';
import { loadPrices } from '../model/price.ts';
import { openMemoryJournal, type MemoryJournal } from '../workflow/memory-journal.ts';
import { openAgents, type Agents, type AgentsDeps } from './agents.ts';
import { openFakeTools, textResult, type FakeToolCall } from './tool-port.fake.ts';

export const CONFIG: AgentConfigInput = {
  id: 'test-agent',
  name: 'Test Agent',
  model: 'claude-sonnet-5-5',
  systemPrompt: 'You are a helpful assistant.',
  temperature: 0.7,
  maxTokens: 1024,
  enabledTools: [],
};

export const SERVER: MCPServerConfig = {
  id: 'filesystem',
  name: 'files',
  command: 'x',
  args: [],
  transport: 'stdio',
};

export interface AgentRig {
  readonly agents: Agents;
  readonly model: FakeModel;
  readonly journal: MemoryJournal;
  readonly calls: readonly FakeToolCall[];
  readonly closed: () => number;
}

/** Agents with a scripted model and one server, `filesystem`, whose tools all do `body`. */
export const openAgentRig = (
  script: Script,
  options: {
    readonly tools?: readonly McpTool[];
    readonly body?: (call: FakeToolCall) => ReturnType<typeof textResult>;
    readonly deps?: Partial<AgentsDeps>;
    readonly wrap?: (model: ModelPort) => ModelPort;
  } = {},
): AgentRig => {
  const journal = openMemoryJournal(systemClock);
  const model = openFakeModel(script);
  const tools = openFakeTools(options.tools ?? [], options.body ?? (() => textResult('Done')));
  let closed = 0;
  const agents = openAgents({
    journal,
    clock: systemClock,
    random: () => 0,
    model: () => options.wrap?.(model) ?? model,
    openTools: async () => ({
      port: tools,
      connections: [{ serverId: 'filesystem', serverName: 'files', status: 'connected', tools: [] }],
      close: async () => {
        closed += 1;
      },
    }),
    prices: loadPrices(),
    simulated: true,
    projectId: 'p',
    ...options.deps,
  });
  return { agents, model, journal, calls: tools.calls, closed: () => closed };
};

export const collect = async (
  agents: Agents,
  input: string,
  options: Parameters<Agents['streamExecution']>[3] = {},
): Promise<StreamChunk[]> => {
  const chunks: StreamChunk[] = [];
  await agents.streamExecution({ id: 'test-agent' }, input, (chunk) => void chunks.push(chunk), options);
  return chunks;
};
