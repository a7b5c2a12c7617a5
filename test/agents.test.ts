import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@cloutagent/client';
import { createLog, startServer, type RunningServer } from '@cloutagent/server';
import { startSimulator, type Rule, type Simulator } from '@cloutagent/simulator';
import type { StreamChunk } from '@cloutagent/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));
const KEY = 'sk-ant-api03-agents-test';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 90_000 });

let root = '';
let simulator: Simulator;
let server: RunningServer;

const RULES: readonly Rule[] = [
  {
    when: { lastMessage: 'slow' },
    answer: { text: `This ${'answer takes its time and '.repeat(60)}ends.`, perTokenMs: 50 },
  },
  { when: { lastMessage: 'Remember' }, answer: { text: 'I remember.' } },
  { when: { lastMessage: 'What was', turn: 2 }, answer: { text: 'It was seven.' } },
  {
    when: { lastMessage: 'Read', turn: 1 },
    answer: { toolCalls: [{ name: 'mcp__filesystem__read_text_file', input: { path: 'note.txt' } }] },
  },
  { when: { lastMessage: 'the note' }, answer: { text: 'It says: the note.' } },
  { when: {}, answer: { text: 'Hello there.' } },
];

beforeAll(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-agents-')));
  await mkdir(path.join(root, 'openspec/changes'), { recursive: true });
  await writeFile(path.join(root, 'note.txt'), 'the note');
  simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: { format: 1, name: 'agents', delays: { firstTokenMs: 0, perTokenMs: 0 }, rules: RULES },
  });
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: {
      PATH: process.env['PATH'] ?? '',
      XDG_CONFIG_HOME: path.join(root, 'config'),
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_API_URL: simulator.url,
      ANTHROPIC_API_PROFILE: 'anthropic',
      DEFAULT_TIMEOUT_MS: '1500',
      MAX_CONCURRENT_EXECUTIONS: '2',
      RATE_LIMIT: '0',
      REQUEST_TIMEOUT_MS: '1000',
    },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, BIN, 'simulate'],
  });
});
afterAll(async () => {
  await server.close();
  await simulator.close();
  await rm(root, { recursive: true, force: true });
});

const clientOf = () => createClient({ baseUrl: server.url, token: server.token });
const AGENT = { id: 'helper', name: 'Helper', model: 'claude-sonnet-5-5' };

describe('[E9.rest] [E2.agents] agents over HTTP', () => {
  it('are created, listed, shown, executed with tools and money, and deleted', async () => {
    const client = clientOf();
    const made = await client.call('agentCreate', {
      body: { ...AGENT, mcpServers: [{ id: 'filesystem', command: 'rm' }] },
    });
    expect(made).toMatchObject({ id: 'helper', simulated: false, mcpConnections: [{ status: 'connected' }] });
    expect((await client.call('agentsList')).agents.map(({ id }) => id)).toEqual(['helper']);
    const params = { id: 'helper' };
    const result = await client.call('agentExecute', { params, body: { input: 'Read the file' } });
    expect(result).toMatchObject({
      status: 'completed',
      result: 'It says: the note.',
      toolCalls: [{ name: 'read_text_file', server: 'filesystem', success: true, output: 'the note' }],
    });
    expect(result.cost.totalCost).toBeGreaterThan(0);
    // It stands in the ledger like any other run.
    const { run } = await client.call('runShow', { params: { id: result.id } });
    expect(run).toMatchObject({ kind: 'workflow', slug: 'helper', status: 'completed' });
    expect(run.money.spent.nanoUsd).toBe(result.costNanoUsd);
    expect((await client.call('agentTokens', { params, body: { input: 'Hello' } })).inputTokens).toBeGreaterThan(10);
    expect(JSON.parse(await readFile(path.join(root, '.cloutagent/agents.json'), 'utf8'))).toMatchObject({
      format: 1,
      agents: [{ id: 'helper' }],
    });
    expect(await client.call('agentDelete', { params })).toEqual({ id: 'helper', deleted: true });
    await expect(client.call('agentShow', { params })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('[E4.chunks] stream (agentStream), continue a conversation, and stop when their reader goes', async () => {
    const client = clientOf();
    await client.call('agentCreate', { body: AGENT });
    const chunks: StreamChunk[] = [];
    const raw = await fetch(`${server.url}/api/agents/helper/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'Hi' }),
    });
    expect(raw.headers.get('content-type')).toContain('text/event-stream');
    expect(await raw.text()).toContain('event: chunk');
    for await (const chunk of client.streamAgent('helper', { input: 'Remember seven' })) chunks.push(chunk);
    const done = chunks.at(-1);
    const conversationId = done?.type === 'done' ? done.result.conversationId : undefined;
    expect(chunks.filter(({ type }) => type === 'content').length).toBeGreaterThan(0);
    const params = { id: 'helper' };
    const again = await client.call('agentExecute', { params, body: { input: 'What was it?', conversationId } });
    expect(again.result).toBe('It was seven.');
    for await (const chunk of client.streamAgent('helper', { input: 'slow' })) if (chunk.type === 'content') break;
    const { items } = await vi.waitUntil(
      async () => {
        const page = await client.call('runsList', { query: { limit: 1 } });
        return page.items[0]?.status === 'cancelled' ? page : undefined;
      },
      { timeout: 10_000 },
    );
    expect(items[0]?.status).toBe('cancelled');
  });

  it('[E13.timeout] [E13.concurrent] give a model call up after DEFAULT_TIMEOUT_MS, and wait in line beyond the limit', async () => {
    const client = clientOf();
    await client.call('agentCreate', { body: AGENT });
    const kinds = async (): Promise<string[]> => {
      const types: string[] = [];
      for await (const chunk of client.streamAgent('helper', { input: 'slow' })) {
        types.push(chunk.type === 'error' && chunk.error.includes('DEFAULT_TIMEOUT_MS') ? 'late' : chunk.type);
      }
      return types;
    };
    const all = await Promise.all([kinds(), kinds(), kinds()]);
    expect(all.filter((types) => types[0] === 'waiting')).toHaveLength(1);
    expect(all.every((types) => types.includes('late'))).toBe(true);
  });

  it('[E2.failures] refuse bad input and unknown agents with the envelope', async () => {
    const client = clientOf();
    await expect(client.call('agentCreate', { body: { ...AGENT, model: 'gpt-9' } })).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN',
    });
    await expect(client.call('agentCreate', { body: { ...AGENT, maxTokens: 0 } })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(client.call('agentExecute', { params: { id: 'nobody' }, body: { input: 'x' } })).rejects.toMatchObject(
      { code: 'NOT_FOUND' },
    );
  });
});

const clout = (argv: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore') => {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: root,
    stdio: [stdin, 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: root, XDG_CONFIG_HOME: path.join(root, 'config') },
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
};

describe('[X9] clout agent run and clout chat', () => {
  it('show the answer, and with --json every chunk', async () => {
    const run = await clout(['agent', 'run', 'Hi']).ended;
    expect(run).toMatchObject({ code: 0, stdout: 'Hello there.\n' });
    expect(run.stderr).toMatch(/\$0\.\d+, .* 1 model calls/u);
    const json = await clout(['agent', 'run', 'Read', '--server', 'filesystem', '--json']).ended;
    const types = json.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toContain('tool_result');
    expect(types.at(-1)).toBe('done');
    const bad = await clout(['agent', 'run', 'Hi', '--model', 'gpt-9', '--json']).ended;
    expect(bad.code).toBe(2);
    // Nothing is left of them.
    expect((await clientOf().call('agentsList')).agents.map(({ id }) => id)).toEqual(['helper']);
  });

  it('agent run is stopped by Ctrl-C', async () => {
    const run = clout(['agent', 'run', 'slow']);
    await vi.waitUntil(() => run.stdout().includes('This'), { timeout: 60_000 });
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 7, stderr: expect.stringContaining('Stopped.') as string });
  });

  it('chat remembers, its answer is stopped by Ctrl-C, and the chat goes on', async () => {
    const chat = clout(['chat', '--json'], 'pipe');
    const lines: string[] = [];
    if (chat.child.stdout === null || chat.child.stdin === null) throw new Error('no pipes');
    createInterface({ input: chat.child.stdout }).on('line', (line) => lines.push(line));
    const done = (count: number) =>
      vi.waitUntil(() => lines.filter((line) => line.startsWith('{"type":"done"')).length >= count, {
        timeout: 60_000,
      });
    chat.child.stdin.write('Remember seven\n');
    await done(1);
    chat.child.stdin.write('What was it?\n');
    await done(2);
    expect(lines.at(-1)).toContain('It was seven.');
    for (let nth = 1; nth <= 2; nth += 1) {
      chat.child.stdin.write('slow\n');
      await vi.waitUntil(() => lines.filter((line) => line.includes('This')).length >= nth, { timeout: 60_000 });
      chat.child.kill('SIGINT');
      await vi.waitUntil(() => lines.filter((line) => line === '{"type":"stopped"}').length >= nth, {
        timeout: 20_000,
      });
    }
    chat.child.stdin.write('Hi\n');
    await done(3);
    chat.child.kill('SIGINT');
    expect((await chat.ended).code).toBe(0);
  });
});
