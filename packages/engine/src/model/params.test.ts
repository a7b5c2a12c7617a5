import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createAnthropicModel } from './anthropic.ts';
import { END, KEY, serve, sse, START } from './messages-server.fake.ts';
import { toParams } from './params.ts';
import type { ModelOptions, ModelRequest } from './port.ts';
import { profileOf, PROVIDER_NAMES, PROVIDERS, type ProviderName } from './profile.ts';

const request = (options?: ModelOptions): ModelRequest => ({
  model: 'claude-sonnet-5-5',
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'Hi' }],
  tools: [{ name: 'look', description: 'Looks', input_schema: { type: 'object' } }],
  maxTokens: 100,
  options,
});

const EVERYTHING: ModelOptions = {
  temperature: 0.7,
  effort: 'high',
  thinking: { type: 'adaptive' },
  outputSchema: { type: 'object', properties: { answer: { type: 'number' } } },
  stopSequences: ['END'],
};

describe('a request', () => {
  it('says nothing that it was not asked to', () => {
    expect(Object.keys(toParams(request(), PROVIDERS.anthropic))).toEqual([
      'model',
      'max_tokens',
      'stream',
      'system',
      'messages',
      'tools',
    ]);
  });

  it('[E1.temperature] keeps sampling from models that refuse it, and sends the rest', () => {
    const params = toParams({ ...request(EVERYTHING), cache: 'conversation' }, PROVIDERS.anthropic);
    expect(params).toMatchObject({
      cache_control: { type: 'ephemeral' },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      thinking: { type: 'adaptive' },
      stop_sequences: ['END'],
      output_config: { effort: 'high', format: { type: 'json_schema', schema: EVERYTHING.outputSchema } },
    });
    expect(params).not.toHaveProperty('temperature');
  });

  it('[E1.temperature] sends it to servers of the older version, without what those do not know', () => {
    for (const name of ['llama.cpp', 'vllm', 'lmstudio'] as const) {
      const params = toParams({ ...request(EVERYTHING), cache: 'conversation' }, PROVIDERS[name]);
      expect(params).toMatchObject({ temperature: 0.7, system: 'Be brief.', stop_sequences: ['END'] });
      for (const field of ['cache_control', 'thinking', 'output_config']) expect(params).not.toHaveProperty(field);
    }
  });

  it('marks only what every call begins with where calls share no more, on the last tool without a system prompt', () => {
    const tool = { name: 'put', description: 'Puts', input_schema: { type: 'object' } };
    const mark = { cache_control: { type: 'ephemeral' } };
    const plain = { ...request(), tools: [...request().tools, tool] };
    expect(toParams({ ...plain, cache: 'prefix' }, PROVIDERS.anthropic)).toEqual({
      ...toParams(plain, PROVIDERS.anthropic),
      system: [{ type: 'text', text: 'Be brief.', ...mark }],
    });
    expect(toParams({ ...plain, system: '', cache: 'prefix' }, PROVIDERS.anthropic)).toEqual({
      ...toParams({ ...plain, system: '' }, PROVIDERS.anthropic),
      tools: [request().tools[0], { ...tool, ...mark }],
    });
  });

  it('marks for an hour where a further field asks for it', () => {
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    expect(toParams({ ...request({ fields: hour }), cache: 'conversation' }, PROVIDERS.anthropic)).toMatchObject({
      ...hour,
      system: [{ type: 'text', text: 'Be brief.', ...hour }],
    });
  });

  it('marks the end of the call before too where the last turn is longer than the server looks back', () => {
    const messages = (calls: number): ModelRequest['messages'] => {
      const of = (type: string) => Array.from({ length: calls }, (_, index) => ({ type, id: `t${index}` }));
      return [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: of('tool_use') },
        { role: 'user', content: of('tool_result') },
      ];
    };
    const sent = (calls: number) =>
      toParams({ ...request(), messages: messages(calls), cache: 'conversation' }, PROVIDERS.anthropic)['messages'];
    expect(sent(9)).toEqual(messages(9));
    expect(sent(10)).toEqual(
      messages(10).with(0, {
        role: 'user',
        content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }],
      }),
    );
  });

  it('carries further fields as they are, and never lets them replace its own', () => {
    const toolset = { type: 'mcp_toolset', mcp_server_name: 'task' };
    const fields = {
      mcp_servers: [{ type: 'url', url: 'https://task.example/mcp', name: 'task', authorization_token: 't' }],
      tools: [toolset],
      max_tokens: 1_000_000,
      model: 'another',
    };
    expect(toParams(request({ fields }), PROVIDERS.anthropic)).toMatchObject({
      mcp_servers: fields.mcp_servers,
      tools: [{ name: 'look' }, toolset],
      max_tokens: 100,
      model: 'claude-sonnet-5-5',
    });
  });
});

describe('[E13.key-url] the profile of a server', () => {
  it.each([
    ['https://api.anthropic.com', 'anthropic'],
    ['https://gateway.example/anthropic', 'anthropic'],
    ['https://openrouter.ai/api', 'openrouter'],
    ['http://localhost:11434', 'ollama'],
    ['http://127.0.0.1:1234', 'lmstudio'],
    ['http://models.example:11434', 'anthropic'],
    ['no address', 'anthropic'],
  ])('of %s is %s', (url, name) => {
    expect(profileOf(url).name).toBe(name);
  });

  it('has an address for each that is named', () => {
    for (const name of PROVIDER_NAMES) expect(new URL(PROVIDERS[name].baseUrl).protocol).toMatch(/^https?:$/u);
  });

  it.each([
    ['anthropic', { authorization: `Bearer ${KEY}`, 'anthropic-version': '2026-10-21' }, 'x-api-key'],
    ['openrouter', { authorization: `Bearer ${KEY}`, 'anthropic-version': '2023-06-01' }, 'x-api-key'],
    ['lmstudio', { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }, 'authorization'],
  ] as const)('%s gets its key and version where it looks for them', async (name: ProviderName, headers, absent) => {
    using server = await serve((_request, response) => {
      sse(response, START, ...END);
      response.end();
    });
    const options = { baseUrl: server.url, apiKey: KEY, clock: systemClock, profile: PROVIDERS[name] };
    const call = { signal: new AbortController().signal, idempotencyKey: 'k' };
    for await (const event of createAnthropicModel(options).stream(request({ betas: ['a-1', 'b-2'] }), call))
      void event;
    expect(server.seen.headers).toMatchObject({ ...headers, 'anthropic-beta': 'a-1,b-2' });
    expect(server.seen.headers).not.toHaveProperty(absent);
  });
});

describe('token counting', () => {
  const counting = async (profile: ProviderName, url: string) =>
    createAnthropicModel({ baseUrl: url, apiKey: KEY, clock: systemClock, profile: PROVIDERS[profile] }).countTokens?.(
      request({ stopSequences: ['x'] }),
      new AbortController().signal,
    );

  it('asks the server where it counts, without what only an answer needs', async () => {
    using server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":42}');
    });
    expect(await counting('anthropic', server.url)).toBe(42);
    expect(Object.keys(JSON.parse(server.seen.body) as object)).toEqual(['model', 'system', 'messages', 'tools']);
    expect(await counting('ollama', server.url)).toBeUndefined();
    expect(server.seen.count).toBe(1);
  });
});
