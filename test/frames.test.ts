import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@cloutagent/client';
import { StreamChunk } from '@cloutagent/contract';
import { createLog, startServer } from '@cloutagent/server';
import { startSimulator } from '@cloutagent/simulator';
import { expect, it } from 'vitest';

it('[E8.frames] what an attempt wrote that broke, was cut or failed is taken back, and the rest is the answer', async () => {
  const pace = { firstTokenMs: 300, perTokenMs: 20 };
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: {
      format: 1,
      name: 'breaks',
      delays: { firstTokenMs: 0, perTokenMs: 0 },
      rules: [
        { when: { times: 1 }, answer: { fault: 'drop', text: 'The answer is forty one.', afterDeltas: 3, ...pace } },
        { when: { times: 1 }, answer: { text: 'The answer is', stopReason: 'max_tokens', ...pace } },
        { when: { times: 1 }, answer: { text: 'No.', stopReason: 'refusal', ...pace } },
        { when: {}, answer: { text: 'The answer is forty two.', ...pace } },
      ],
    },
  });
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-frames-')));
  const server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: {
      PATH: process.env['PATH'] ?? '',
      XDG_CONFIG_HOME: path.join(root, 'config'),
      ANTHROPIC_API_URL: simulator.url,
      ANTHROPIC_API_KEY: 'sk-ant-none',
    },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, '-e', ''],
  });
  try {
    const client = createClient({ baseUrl: server.url, token: server.token });
    const retry = { attempts: 2, delayMs: 0, factor: 1 };
    const agent = { id: 'a', type: 'agent' as const, data: { systemPrompt: 'x', maxTokens: 4096 } };
    const workflow = { format: 1 as const, nodes: [{ ...agent, retry, budget: '0.2' }], edges: [], variables: {} };
    const { id } = await client.call('workflowRun', { body: { workflow, input: 'x', budget: '0.2' } });
    const answer = await fetch(`${server.url}/api/runs/${id}/frames`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    const chunks = (await answer.text())
      .split('\n')
      .filter((line) => line.startsWith('data: {"nodeId"'))
      .map((line) => StreamChunk.parse(JSON.parse(line.slice(6))));
    let text = '';
    for (const chunk of chunks) {
      if (chunk.type === 'content') text += chunk.content;
      if (chunk.type === 'retry') text = text.slice(0, text.length - chunk.discarded);
    }
    expect(text).toBe('The answer is forty two.');
    const retries = chunks.filter((chunk) => chunk.type === 'retry');
    expect(retries.map(({ code }) => code)).toEqual(['MODEL_UNAVAILABLE', 'MAX_TOKENS', 'NODE_FAILED']);
    expect(retries.every(({ discarded }) => discarded > 0)).toBe(true);
  } finally {
    await server.close();
    await simulator.close();
    await rm(root, { recursive: true, force: true });
  }
}, 60_000);
