import {
  createAnthropicModel,
  loadPrices,
  openAgents,
  openMemoryJournal,
  PROVIDERS,
  type ProviderName,
} from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { serveBoth, TOKEN } from '../fixtures/servers.ts';
import { openTaskTools, type TaskCall } from './task-tools.ts';

const NAMES: readonly ProviderName[] = [
  'anthropic',
  'ollama',
  'lmstudio',
  'llama.cpp',
  'vllm',
  'litellm',
  'openrouter',
];

describe('[X7.profiles] an agent with the profile of a server', () => {
  it.each(NAMES)('completes a tool run on a simulator that enforces %s', async (name) => {
    await using servers = await serveBoth({ profile: name });
    const calls: TaskCall[] = [];
    const agents = openAgents({
      journal: openMemoryJournal(systemClock),
      clock: systemClock,
      random: () => 0,
      model: () =>
        createAnthropicModel({
          baseUrl: servers.claude,
          apiKey: 'any-key',
          clock: systemClock,
          profile: PROVIDERS[name],
        }),
      openTools: () => openTaskTools({ baseUrl: servers.taskMcp, authToken: TOKEN }, systemClock, calls),
      prices: loadPrices(),
      profile: PROVIDERS[name],
      simulated: true,
      projectId: 'p',
    });
    const agent = await agents.createAgent({
      id: 'a',
      name: 'A',
      model: 'claude-haiku-5-5',
      systemPrompt: 'Be short.',
      // What a subset does not take has to be left out by the profile.
      temperature: 0.2,
      effort: 'low',
      mcpServers: [{ id: 'task', name: 'task', transport: 'http', url: servers.taskMcp }],
    });
    const result = await agents.executeAgent(agent, 'Create a change for dark mode with slug "dark-mode"');
    await agents.close();
    expect(result).toMatchObject({ status: 'completed', result: 'Simulated: the change dark-mode is open.' });
    expect(calls.map(({ tool, result: { isError } }) => [tool, isError])).toEqual([['change.open', false]]);
    expect(await servers.slugs()).toEqual(['dark-mode']);
    expect((await servers.requests()).map(({ status }) => status)).toEqual([200, 200]);
  });
});
