import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createAnthropicModel } from '../model/anthropic.ts';
import { BLOCK, DELTA, END, KEY, serve, sse, START } from '../model/messages-server.fake.ts';
import { loadPrices } from '../model/price.ts';
import { openMemoryJournal } from '../workflow/memory-journal.ts';
import { CONFIG, SERVER } from './agents.fake.ts';
import { openAgents } from './agents.ts';
import { textResult, toolOf } from './tool-port.fake.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const descriptors = (): number => readdirSync('/proc/self/fd').length;
const heap = (): number => {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
};

describe('[E17.memory] 1,000 executions', () => {
  it('leave heap and descriptors as they were', { timeout: 120_000 }, async () => {
    using server = await serve((_request, response, body) => {
      const called = body.includes('tool_result');
      const tool = { type: 'tool_use', id: 'toolu_1', name: 'mcp__filesystem__read', input: {} };
      if (called) sse(response, START, BLOCK, DELTA, ...END);
      else {
        const begin = { type: 'content_block_start', index: 0, content_block: tool };
        const stop = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } };
        sse(response, START, begin, { type: 'content_block_stop', index: 0 }, stop, { type: 'message_stop' });
      }
      response.end();
    });
    const journal = openMemoryJournal(systemClock);
    const model = createAnthropicModel({ baseUrl: server.url, apiKey: KEY, clock: systemClock });
    const tools = new Map([['mcp__filesystem__read', toolOf('read')]]);
    const agents = openAgents({
      journal,
      clock: systemClock,
      random: () => 0,
      model: () => model,
      openTools: async () => ({
        port: { tools: () => tools, call: async () => textResult('x'.repeat(10_000)) },
        connections: [],
        close: async () => undefined,
      }),
      prices: loadPrices(),
      simulated: false,
      projectId: 'p',
      maxConcurrent: 10,
    });
    await agents.createAgent({ ...CONFIG, mcpServers: [SERVER] });
    const run = async (count: number): Promise<void> => {
      const results = await Promise.all(
        Array.from({ length: count }, async (_, nth) =>
          agents.executeAgent({ id: CONFIG.id }, 'Read it', { conversationId: `c${nth % 10}-${count}` }),
        ),
      );
      expect(results.every(({ status }) => status === 'completed')).toBe(true);
    };
    await run(100);
    // Conversations are kept on purpose; these are ten short ones.
    const before = { heap: heap(), descriptors: descriptors() };
    for (let batch = 0; batch < 10; batch += 1) {
      await run(100);
      agents.deleteAgent(CONFIG.id);
      await agents.createAgent({ ...CONFIG, mcpServers: [SERVER] });
    }
    await systemClock.sleep(200);
    expect(journal.size).toBe(0);
    expect(heap() - before.heap).toBeLessThan(4 * 1024 * 1024);
    // At most ten connections, one a call at once, are kept open; both of their ends are in this process.
    expect(descriptors()).toBeLessThanOrEqual(before.descriptors + 20);
  });
});
