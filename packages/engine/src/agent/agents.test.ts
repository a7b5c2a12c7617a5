import { ClaudeSDKError } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { projectLevel } from '../budget/levels.ts';
import { say, use, type ScriptedAnswer } from '../model/port.fake.ts';
import { CONFIG, openAgentRig, SERVER } from './agents.fake.ts';
import { textResult, toolOf } from './tool-port.fake.ts';

const READ = 'mcp__filesystem__read_file';
const AGENT = { id: CONFIG.id };
const usage = { inputTokens: 100, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0, outputTokens: 20 };
const WITH_TOOLS = { ...CONFIG, mcpServers: [SERVER] };
const tools = [toolOf('read_file', { readOnlyHint: true }), toolOf('write_file'), toolOf('delete')];
const readThenSay = (_request: unknown, nth: number): ScriptedAnswer =>
  nth === 0 ? use('toolu_1', READ, { path: '/tmp/test.txt' }) : say('It says hello.');
const thrown = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('[E2.agents] agents', () => {
  it('are created, found, listed and deleted with their connections', async () => {
    const { agents, closed } = openAgentRig(() => say('Hi'), { tools });
    const agent = await agents.createAgent(WITH_TOOLS);
    expect(agent).toMatchObject({ id: 'test-agent', name: 'Test Agent', mcpConnections: [{ status: 'connected' }] });
    expect(agents.getAgent('test-agent')).toBe(agent);
    expect(agents.listAgents()).toEqual([agent]);
    expect(agents.deleteAgent('test-agent')).toBe(true);
    expect(agents.deleteAgent('test-agent')).toBe(false);
    expect(agents.getAgent('test-agent')).toBeUndefined();
    await agents.close();
    expect(closed()).toBe(1);
    expect(await thrown(agents.executeAgent(agent, 'x'))).toBeInstanceOf(ClaudeSDKError);
  });

  it('execute with tokens, cost, duration and what the model said', async () => {
    const { agents, model, journal } = openAgentRig(() => ({ ...say('Hello'), usage }));
    const agent = await agents.createAgent(CONFIG);
    const result = await agents.executeAgent(agent, 'Say hello');
    expect(result).toMatchObject({
      status: 'completed',
      result: 'Hello',
      cost: { promptTokens: 100, completionTokens: 20, totalCost: 0.0004 },
      usage,
      modelCalls: 1,
      stopReason: 'end_turn',
      toolCalls: [],
    });
    expect(result.duration).toBeGreaterThan(0);
    expect(model.calls[0]?.request).toMatchObject({
      model: 'claude-sonnet-5-5',
      system: CONFIG.systemPrompt,
      maxTokens: 1024,
    });
    expect(await journal.budgets([projectLevel('p', true)])).toMatchObject([{ spentNanoUsd: 400_000, heldNanoUsd: 0 }]);
    expect(journal.size).toBe(0);
  });

  it('[E1.models] take the ids of the seed, and say what is used instead', async () => {
    const { agents, model } = openAgentRig(() => say('Hi'));
    for (const [wanted, used] of [
      ['claude-opus-4', 'claude-opus-5-5'],
      ['claude-3-5-sonnet-20241022', 'claude-sonnet-5-5'],
      ['claude-3-opus-20240229', 'claude-opus-5-5'],
    ] as const) {
      const agent = await agents.createAgent({ ...CONFIG, model: wanted });
      const { warnings } = await agents.executeAgent(agent, 'Hi');
      expect(model.calls.at(-1)?.request.model).toBe(used);
      expect(warnings?.[0]).toContain(`${used} is used instead`);
    }
    expect(await thrown(agents.createAgent({ ...CONFIG, model: 'gpt-9' }))).toMatchObject({ code: 'PRICE_UNKNOWN' });
  });

  it('fill variables into prompt and input, once', async () => {
    const { agents, model } = openAgentRig(() => say('Hi'));
    const agent = await agents.createAgent({ ...CONFIG, systemPrompt: 'You are {{role}}. {{missing}}' });
    const variables = { role: '{{secret}}', who: 'Ann', secret: 'LEAK' };
    await agents.executeAgent(agent, 'Greet {{who}}', { variables });
    expect(model.calls[0]?.request).toMatchObject({
      system: 'You are {{secret}}. {{missing}}',
      messages: [{ role: 'user', content: 'Greet Ann' }],
    });
  });

  it('continue a conversation by its id, each in its turn, and no other agent does', async () => {
    const { agents, model } = openAgentRig((_request, nth) => say(`Answer ${nth}`));
    const agent = await agents.createAgent(CONFIG);
    const first = await agents.executeAgent(agent, 'One');
    const { conversationId = '' } = first;
    expect(conversationId).toMatch(/^cnv_/u);
    await Promise.all([
      agents.executeAgent(agent, 'Two', { conversationId }),
      agents.executeAgent(agent, 'Three', { conversationId }),
    ]);
    expect(model.calls.at(-1)?.request.messages.map(({ content }) => content)).toEqual([
      'One',
      [{ type: 'text', text: 'Answer 0' }],
      'Two',
      [{ type: 'text', text: 'Answer 1' }],
      'Three',
    ]);
    const other = await agents.createAgent({ ...CONFIG, id: 'other' });
    expect(await agents.executeAgent(other, 'x', { conversationId })).toMatchObject({
      status: 'failed',
      errorCode: 'INVALID_INPUT',
    });
    agents.deleteAgent(agent.id);
    const again = await agents.createAgent(CONFIG);
    await agents.executeAgent(again, 'Fresh', { conversationId });
    expect(model.calls.at(-1)?.request.messages).toHaveLength(1);
  });
});

describe('[E7.enabled-tools] the tools of an agent', () => {
  it.each([
    [[], ['delete', 'read_file', 'write_file']],
    [undefined, ['delete', 'read_file', 'write_file']],
    [['filesystem:read_file'], ['read_file']],
    [['files:read_file', READ], ['read_file']],
    [['files:*'], ['delete', 'read_file', 'write_file']],
    [['mcp__filesystem__*'], ['delete', 'read_file', 'write_file']],
    [['other:*', 'filesystem:unknown'], []],
  ])('are, with %j, %j', async (enabledTools, names) => {
    const { agents, model } = openAgentRig(() => say('Hi'), { tools });
    const agent = await agents.createAgent({ ...WITH_TOOLS, enabledTools });
    await agents.executeAgent(agent, 'Hi');
    expect(model.calls[0]?.request.tools.map(({ name }) => name.replace('mcp__filesystem__', ''))).toEqual(names);
  });

  it('are none without servers of its own, and one that is not enabled is not called', async () => {
    const { agents, calls } = openAgentRig(readThenSay, { tools });
    await agents.createAgent(CONFIG);
    expect(await agents.executeAgent(AGENT, 'Read')).toMatchObject({ toolCalls: [{ success: false }] });
    await agents.createAgent({ ...WITH_TOOLS, enabledTools: ['files:write_file'] });
    await agents.executeAgent(AGENT, 'Read');
    expect(calls).toEqual([]);
  });

  it('run at once in one turn, and are answered in its order', async () => {
    const order: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const rig = openAgentRig(
      (_request, nth) =>
        nth === 0
          ? {
              content: ['a', 'b', 'c'].map((path, index) => ({
                type: 'tool_use',
                id: `t${index}`,
                name: READ,
                input: { path },
              })),
              stopReason: 'tool_use',
            }
          : say('Ok'),
      {
        tools,
        deps: {
          openTools: async () => ({
            connections: [],
            close: async () => undefined,
            port: {
              tools: () => new Map(tools.map((tool) => [`mcp__filesystem__${tool.name}`, tool])),
              call: async (_tool, input) => {
                const { path } = input as { path: string };
                order.push(`begin ${path}`);
                if (path === 'c') open();
                // The first waits for the last to begin.
                await gate;
                order.push(`end ${path}`);
                return textResult(path.toUpperCase());
              },
            },
          }),
        },
      },
    );
    await rig.agents.createAgent(WITH_TOOLS);
    const { toolCalls } = await rig.agents.executeAgent(AGENT, 'Read all');
    expect(order.slice(0, 3)).toEqual(['begin a', 'begin b', 'begin c']);
    expect(rig.model.calls[1]?.request.messages.at(-1)?.content).toMatchObject([
      { tool_use_id: 't0', content: [{ text: 'A' }] },
      { tool_use_id: 't1', content: [{ text: 'B' }] },
      { tool_use_id: 't2', content: [{ text: 'C' }] },
    ]);
    expect(toolCalls?.map(({ output }) => output).sort()).toEqual(['A', 'B', 'C']);
  });
});
