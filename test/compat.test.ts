import { createRequire } from 'node:module';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ClaudeSDKError, ClaudeSDKService, type StreamChunk } from '@cloutagent/compat';
import { startSimulator, type Rule } from '@cloutagent/simulator';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// The test snippets of seed 003, tasks 1.1, 1.2 and 1.5, over the simulator and the filesystem server. `npx -y` is replaced by the
// server that is installed.

const SERVER = createRequire(new URL('../apps/server/package.json', import.meta.url)).resolve(
  '@modelcontextprotocol/server-filesystem/dist/index.js',
);

let folder = '';
const stdio = (id: string, name: string) => ({
  id,
  name,
  command: process.execPath,
  args: [SERVER, folder],
  transport: 'stdio' as const,
});
const config = {
  id: 'test-agent',
  name: 'Test Agent',
  model: 'claude-sonnet-4-5',
  systemPrompt: 'You are a helpful assistant.',
  temperature: 0.7,
  maxTokens: 1024,
  enabledTools: [],
};

const rules = (): readonly Rule[] => [
  { when: { lastMessage: 'Say hello' }, answer: { text: 'Hello to you, dear friend.' } },
  {
    when: { lastMessage: 'Count from' },
    answer: { text: 'One and two and three and four and five, as was asked of me.' },
  },
  {
    when: { lastMessage: 'Read the file', turn: 1 },
    answer: {
      text: 'I read it.',
      toolCalls: [{ name: 'mcp__fs__read_file', input: { path: path.join(folder, 'test.txt') } }],
    },
  },
  {
    when: { lastMessage: 'List files', turn: 1 },
    answer: { toolCalls: [{ name: 'mcp__fs__list_directory', input: { path: folder } }] },
  },
  { when: { lastMessage: { regex: 'hello from the file' } }, answer: { text: 'It says hello.' } },
  { when: {}, answer: { text: 'Done.' } },
];

const simulate = () =>
  startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: { format: 1, name: 'seed', delays: { firstTokenMs: 0, perTokenMs: 0 }, rules: rules() },
  });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'compat-'));
  await writeFile(path.join(folder, 'test.txt'), 'hello from the file');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A service against a simulator; both end with the test. */
const openService = async (): Promise<AsyncDisposable & { readonly service: ClaudeSDKService }> => {
  const simulator = await simulate();
  vi.stubEnv('ANTHROPIC_API_URL', simulator.url);
  vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-test');
  const service = new ClaudeSDKService();
  return {
    service,
    [Symbol.asyncDispose]: async () => {
      await service.close();
      await simulator.close();
    },
  };
};

describe('[E1.compat] ClaudeSDKService (tasks 1.1, 1.2)', () => {
  it('[E3.create] should execute non-streaming request successfully', async () => {
    await using rig = await openService();
    const agent = await rig.service.createAgent(config);
    const result = await rig.service.executeAgent(agent, 'Say hello in 5 words');
    expect(result.status).toBe('completed');
    expect(result.result).toBeDefined();
    expect(result.cost.totalCost).toBeGreaterThan(0);
    expect(result.duration).toBeGreaterThan(0);
    expect(rig.service.getAgent(agent.id)).toBe(agent);
    expect(rig.service.deleteAgent(agent.id)).toBe(true);
  });

  it('[E3.errors] should handle API errors gracefully', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    vi.stubEnv('ANTHROPIC_API_URL', `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
    vi.stubEnv('ANTHROPIC_API_KEY', 'invalid-key');
    const service = new ClaudeSDKService();
    const agent = await service.createAgent(config);
    const result = await service.executeAgent(agent, 'test');
    expect(result.status).toBe('failed');
    expect(result.error).toContain('authentication');
    server.closeAllConnections();
    server.close();
  });

  it('[E2.failures] throws without a key, and for a bad configuration', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', undefined);
    vi.stubEnv('ANTHROPIC_API_URL', undefined);
    await expect(new ClaudeSDKService().createAgent(config)).rejects.toBeInstanceOf(ClaudeSDKError);
    await expect(new ClaudeSDKService().createAgent({ ...config, maxTokens: -1 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('[E4.chunks] [E3.stream] should stream responses in real-time', async () => {
    await using rig = await openService();
    const chunks: StreamChunk[] = [];
    const agent = await rig.service.createAgent(config);
    await rig.service.streamExecution(agent, 'Count from 1 to 5', (chunk) => chunks.push(chunk));
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.filter((c) => c.type === 'content').length).toBeGreaterThan(0);
    expect(chunks[chunks.length - 1]?.type).toBe('done');
  });
});

describe('[E1.compat] agents with tools (task 1.5)', () => {
  const withTools = () => ({
    ...config,
    name: 'File Agent',
    maxTokens: 2048,
    mcpServers: [stdio('fs', 'filesystem')],
  });

  it('should use MCP tools in workflow', async () => {
    await using rig = await openService();
    const agent = await rig.service.createAgent({ ...withTools(), enabledTools: ['filesystem:read_file'] });
    expect(agent.mcpConnections).toMatchObject([{ serverId: 'fs', status: 'connected' }]);
    const result = await rig.service.executeAgent(agent, 'Read the file at /tmp/test.txt and summarize its contents');
    expect(result.status).toBe('completed');
    expect(result.toolCalls).toBeDefined();
    expect(result.toolCalls?.length).toBeGreaterThan(0);
    expect(result.toolCalls?.[0]?.name).toBe('read_file');
    expect(result.toolCalls?.[0]?.success).toBe(true);
    expect(result.result).toBe('It says hello.');
  });

  it('should stream MCP tool execution', async () => {
    await using rig = await openService();
    const chunks: StreamChunk[] = [];
    const agent = await rig.service.createAgent(withTools());
    await rig.service.streamExecution(agent, 'List files in /tmp directory', (chunk) => chunks.push(chunk));
    expect(chunks.filter((c) => c.type === 'tool_call').length).toBeGreaterThan(0);
    expect(chunks.filter((c) => c.type === 'tool_result').length).toBeGreaterThan(0);
  });

  it('goes on without a server that cannot be reached', async () => {
    await using rig = await openService();
    const gone = { ...stdio('gone', 'gone'), command: '/nowhere/at-all' };
    const agent = await rig.service.createAgent({ ...withTools(), mcpServers: [gone, stdio('fs', 'filesystem')] });
    expect(agent.mcpConnections?.map(({ status }) => status)).toEqual(['error', 'connected']);
  });
});
