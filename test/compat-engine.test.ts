import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as compat from '@cloutagent/compat';
import { ExecutionEngine } from '@cloutagent/compat';
import { startSimulator, type Rule } from '@cloutagent/simulator';
import { afterEach, describe, expect, it, vi } from 'vitest';

// The test snippet of seed 003, task 2.1, and what its acceptance criteria name beside it.

const SERVER = createRequire(new URL('../apps/server/package.json', import.meta.url)).resolve(
  '@modelcontextprotocol/server-filesystem/dist/index.js',
);
const FOLDER = fileURLToPath(new URL('support', import.meta.url));

const RULES: readonly Rule[] = [
  { when: { lastMessage: 'Refuse' }, answer: { text: '', stopReason: 'refusal' } },
  {
    when: { lastMessage: 'List', turn: 1 },
    answer: { toolCalls: [{ name: 'mcp__fs__list_directory', input: { path: FOLDER } }] },
  },
  { when: { lastMessage: { regex: '^Hello' } }, answer: { text: 'I am well.' } },
  { when: { lastMessage: { regex: 'I am well\\.\\n\\nI am well\\.' } }, answer: { text: 'Both are well.' } },
  { when: {}, answer: { text: 'There is a runner.' } },
];

afterEach(() => {
  vi.unstubAllEnvs();
});

const open = async () => {
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: { format: 1, name: 'engine', delays: { firstTokenMs: 0, perTokenMs: 0 }, rules: RULES },
  });
  vi.stubEnv('ANTHROPIC_API_URL', simulator.url);
  vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-test');
  const engine = new ExecutionEngine();
  return {
    engine,
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      await simulator.close();
    },
  };
};

const agent = (id: string, data: object = {}) => ({ id, type: 'agent', data });

it('[E1.compat] every class of the seed has its name', () => {
  const names = [
    'ClaudeSDKService',
    'ClaudeSDKError',
    'MCPClient',
    'MCPClientPool',
    'MCPError',
    'ExecutionEngine',
    'ErrorHandler',
    'RetryManager',
    'CircuitBreaker',
    'CostTrackingService',
    'ClaudeMCPIntegration',
    'StreamingClaudeMCPIntegration',
  ];
  expect(names.filter((name) => typeof (compat as Record<string, unknown>)[name] !== 'function')).toEqual([]);
});

describe('[E1.compat] ExecutionEngine - Claude Integration (task 2.1)', () => {
  it('should execute workflow with agent node', async () => {
    await using rig = await open();
    const workflow = {
      nodes: [
        {
          id: 'agent-1',
          type: 'agent',
          data: {
            label: 'Assistant',
            model: 'claude-sonnet-4-5',
            systemPrompt: 'You are a helpful assistant.',
            temperature: 0.7,
            maxTokens: 1024,
          },
        },
      ],
      edges: [],
    };
    const execution = await rig.engine.executeWorkflow(workflow, { input: 'Hello, how are you?' });
    expect(execution.status).toBe('completed');
    expect(execution.steps).toHaveLength(1);
    expect(execution.steps[0]?.output).toBe('I am well.');
    expect(execution.cost.totalCost).toBeGreaterThan(0);
  });

  it('joins inputs in the order of the edges, and streams the chunks of each node', async () => {
    await using rig = await open();
    const written: string[] = [];
    const workflow = {
      nodes: [agent('last'), agent('one'), agent('two', { streaming: false })],
      edges: [
        { source: 'two', target: 'last' },
        { source: 'one', target: 'last' },
      ],
    };
    const res = { write: (text: string) => written.push(text) };
    const { steps, status } = await rig.engine.executeWorkflow(workflow, { input: 'Hello' }, res);
    expect(status).toBe('completed');
    expect(steps.find(({ nodeId }) => nodeId === 'last')?.output).toBe('Both are well.');
    const frames = written.map((text) => JSON.parse(text.slice('data: '.length)) as { nodeId: string; type: string });
    expect(written.every((text) => text.endsWith('\n\n'))).toBe(true);
    expect(new Set(frames.map(({ nodeId }) => nodeId))).toEqual(new Set(['one', 'last']));
    expect(frames.filter(({ type }) => type === 'done')).toHaveLength(2);
  });

  it('keeps tool calls in the history', async () => {
    await using rig = await open();
    const mcpServers = [{ id: 'fs', name: 'filesystem', command: process.execPath, args: [SERVER, FOLDER] }];
    const workflow = { nodes: [agent('files', { mcpServers })], edges: [] };
    const { steps } = await rig.engine.executeWorkflow(workflow, { input: 'List the files' });
    expect(steps).toMatchObject([
      {
        status: 'completed',
        output: 'There is a runner.',
        toolCalls: [{ name: 'list_directory', server: 'fs', success: true }],
      },
    ]);
    expect(steps[0]?.toolCalls?.[0]?.output).toContain('runner.ts');
  });

  it('a failed node is a step with its error, and what stands behind it is not run', async () => {
    await using rig = await open();
    const workflow = { nodes: [agent('one'), agent('two')], edges: [{ source: 'one', target: 'two' }] };
    const execution = await rig.engine.executeWorkflow(workflow, { input: 'Refuse' });
    expect(execution).toMatchObject({ status: 'failed', steps: [{ nodeId: 'one', status: 'failed' }] });
    expect(execution.error).toBe(execution.steps[0]?.error);
    expect(execution.error).toContain('declined');
  });

  it('refuses a circle and a node that is no agent', async () => {
    await using rig = await open();
    const circle = { nodes: [agent('one')], edges: [{ source: 'one', target: 'one' }] };
    await expect(rig.engine.executeWorkflow(circle)).rejects.toMatchObject({ code: 'WORKFLOW_INVALID' });
    const other = { nodes: [{ id: 'in', type: 'input', data: {} }], edges: [] };
    await expect(rig.engine.executeWorkflow(other)).rejects.toMatchObject({
      code: 'WORKFLOW_INVALID',
      message: 'The node in is of the kind input',
    });
  });
});
