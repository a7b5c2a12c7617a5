import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createAnthropicModel } from './anthropic.ts';
import { ask, BLOCK, DELTA, END, failure, KEY, serve, sse, START, type Handler } from './messages-server.fake.ts';
import type { ModelEvent } from './port.ts';

describe('[E3.stream] a call', () => {
  it('gives the start, the text as it comes, and the whole answer', async () => {
    using server = await serve((_request, response) => {
      sse(response, START, BLOCK, DELTA, ...END);
      response.end();
    });
    const events = await ask(server.url);
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: 0,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
    };
    expect(events).toEqual([
      { type: 'start', usage: { ...usage, outputTokens: 1 }, requestId: 'req_9' },
      { type: 'text', text: 'Hello' },
      {
        type: 'end',
        answer: { content: [{ type: 'text', text: 'Hello' }], stopReason: 'end_turn', usage, requestId: 'req_9' },
      },
    ]);
    expect(JSON.parse(server.seen.body)).toEqual({
      model: 'claude-sonnet-5-5',
      max_tokens: 1024,
      stream: true,
      system: 'Be brief.',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ name: 'look', description: 'Looks', input_schema: { type: 'object' } }],
    });
    expect(server.seen.headers).toMatchObject({ 'idempotency-key': 'run_1:turn[0]#1', authorization: `Bearer ${KEY}` });
  });

  /** Answers, falls silent but for pings for a second, and ends. */
  const pinging: Handler = (_request, response) => {
    sse(response, START, BLOCK, DELTA);
    let pings = 0;
    const timer = setInterval(() => {
      pings += 1;
      if (pings < 10) return sse(response, { type: 'ping' });
      clearInterval(timer);
      sse(response, ...END);
      response.end();
    }, 100);
  };

  it('is not given up while the server shows by pings that it is alive', async () => {
    using server = await serve(pinging);
    await expect(ask(server.url, { idleMs: 600 })).resolves.toHaveLength(3);
  });

  it('is not given up while its reader is busy', async () => {
    using server = await serve((_request, response) => {
      sse(response, START, BLOCK, DELTA, ...END);
      response.end();
    });
    const slow = (event: ModelEvent): Promise<void> =>
      event.type === 'start' ? systemClock.sleep(1200) : Promise.resolve();
    await expect(ask(server.url, { idleMs: 500, onEvent: slow })).resolves.toHaveLength(3);
  });
});

describe('the source of token counts', () => {
  it('is the address, or a name that outlives it', () => {
    const options = { baseUrl: 'http://127.0.0.1:4711', apiKey: KEY, clock: systemClock };
    expect(createAnthropicModel(options).source).toBe('http://127.0.0.1:4711');
    expect(createAnthropicModel({ ...options, source: 'simulator' }).source).toBe('simulator');
  });
});

describe('[E3.key] without a key', () => {
  it.each([undefined, ''])('nothing is sent (%j)', async (apiKey) => {
    using server = await serve(() => undefined);
    expect(await failure(ask(server.url, { apiKey }))).toMatchObject({
      code: 'MODEL_KEY_MISSING',
      billing: 'none',
      retryable: false,
    });
    expect(server.seen.count).toBe(0);
  });
});
