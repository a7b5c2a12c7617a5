import { createAnthropicModel, loadPrices, openAgents, openMemoryJournal } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { startSimulator } from '@cloutagent/simulator';
import { toWireNames } from '@cloutagent/mcp';

/** Agents on the simulator: each is asked to use one server, calls its tool, and answers with what it gave. */
export const useByAgents = async (lease, targets) => {
  const wireName = (id, tool) => [...lease.tools()].find(([, found]) => found.server === id && found.name === tool)[0];
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: {
      format: 1,
      name: 'interop',
      delays: { firstTokenMs: 0, perTokenMs: 0 },
      rules: targets.flatMap(({ target, calls }) => {
        const [tool, input] = calls.at(-1);
        const when = { firstMessage: `Use ${target.id}.` };
        return [
          { when: { ...when, turn: 1 }, answer: { toolCalls: [{ name: wireName(target.id, tool), input }] } },
          { when, answer: { text: `${target.id} was used` } },
        ];
      }),
    },
  });
  const agents = openAgents({
    journal: openMemoryJournal(systemClock),
    clock: systemClock,
    random: Math.random,
    levels: [],
    model: () => createAnthropicModel({ baseUrl: simulator.url, apiKey: 'simulated', clock: systemClock }),
    openTools: async (servers) => ({
      port: {
        tools: () => toWireNames([...lease.tools().values()].filter(({ server }) => server === servers[0].id)),
        call: (tool, input, options) => lease.call(tool, input, options),
      },
      connections: [],
      close: async () => undefined,
    }),
    prices: loadPrices(),
    simulated: true,
    projectId: 'interop',
  });
  try {
    return await Promise.all(
      targets.map(async ({ target, calls }) => {
        const { id } = target;
        const [tool, , expected] = calls.at(-1);
        await agents.createAgent({
          id: `agent-${id}`,
          name: id,
          model: 'claude-sonnet-5-5',
          systemPrompt: 'Use the tools.',
          temperature: 0,
          maxTokens: 1024,
          enabledTools: [`${id}:*`],
          mcpServers: [{ id, name: id, command: 'registered', args: [], transport: 'stdio' }],
        });
        const result = await agents.executeAgent({ id: `agent-${id}` }, `Use ${id}.`);
        const [call] = result.toolCalls ?? [];
        const good = result.status === 'completed' && call?.success === true && call.output.includes(expected);
        return {
          good,
          text: `${id}: used by an agent${good ? '' : `: ${JSON.stringify(result).slice(0, 500)}`} (${tool})`,
        };
      }),
    );
  } finally {
    await agents.close();
    await simulator.close();
  }
};
