import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenario.ts';
import { startSimulator, type SimulatorOptions } from './server.ts';

type Event = Anthropic.RawMessageStreamEvent;

const start = async (rules: readonly unknown[] = [], options: Partial<SimulatorOptions> = {}) => {
  const scenario = parseScenario({ format: 1, rules });
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    ...(rules.length > 0 ? { scenario } : {}),
    ...options,
  });
  const client = new Anthropic({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  const post = (body: unknown, headers: Record<string, string> = {}, path = '/v1/messages'): Promise<Response> =>
    fetch(simulator.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'any',
        'anthropic-version': '2026-10-21',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { ...simulator, client, post, [Symbol.asyncDispose]: () => simulator.close() };
};

const BODY = { model: 'claude-sonnet-5-5', max_tokens: 200, messages: [{ role: 'user' as const, content: 'hello' }] };
const TOOLS: Anthropic.Tool[] = [{ name: 'look', input_schema: { type: 'object' } }];
const SAID =
  'Ein Satz mit Umlauten: äöü, 日本語 and 👩‍👩‍👧 without any space in_a_very_long_word_that_goes_on_and_on_and_on_and_on_for_more_than_eighty_characters.';

const collect = async (stream: AsyncIterable<Event>): Promise<Event[]> => {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
};

describe('[X7.http] the official SDK', () => {
  it('creates a message with tool calls and usage that can be worked out by hand', async () => {
    await using running = await start([
      { answer: { text: 'I look.', toolCalls: [{ name: 'look', input: { path: 'é' } }] } },
    ]);
    const { data, request_id: requestId } = await running.client.messages
      .create({ ...BODY, tools: TOOLS })
      .withResponse();
    expect(requestId).toMatch(/^req_sim_[0-9a-f]{32}$/u);
    expect(data).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5-5',
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', name: 'look', input: { path: 'é' } },
      ],
      usage: {
        // {"messages":[{"content":"hello","role":"user"}],"tools":[{"input_schema":{"type":"object"},"name":"look"}]}: 107 bytes.
        input_tokens: 27,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        // `I look.` and {"path":"é"}: 7 + 13 bytes.
        output_tokens: 5,
        service_tier: 'standard',
      },
    });
    expect(data.id).toMatch(/^msg_sim_/u);
  });

  it('streams the same answer, with the events of the real API in their order', async () => {
    const toolCalls = [{ name: 'look', input: { path: SAID, deep: [{ a: 1 }] } }];
    await using running = await start([{ answer: { thinking: 'Hm.', text: SAID, toolCalls } }]);
    const { messages } = running.client;
    const whole = await messages.create({ ...BODY, tools: TOOLS });
    const events = await collect(await messages.create({ ...BODY, tools: TOOLS, stream: true }));
    const kinds = events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
    const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
    expect(kinds).toEqual(['message_start', ...block, ...block, ...block, 'message_delta', 'message_stop']);
    expect(events.filter(({ type }) => type === 'content_block_delta').length).toBeGreaterThan(8);
    const final = await messages.stream({ ...BODY, tools: TOOLS }).finalMessage();
    expect(final.content).toEqual(whole.content);
    expect(final).toMatchObject({ stop_reason: whole.stop_reason, usage: whole.usage });
    const [first] = events;
    expect(first).toMatchObject({ message: { usage: { ...whole.usage, output_tokens: 1 } } });
    const delta = events.find((event) => event.type === 'message_delta');
    expect(delta?.usage).toMatchObject({
      input_tokens: whole.usage.input_tokens,
      output_tokens: whole.usage.output_tokens,
    });
  });

  it('sends a ping early in a stream', async () => {
    await using running = await start();
    const text = await (await running.post({ ...BODY, stream: true })).text();
    expect(text).toContain('event: ping\ndata: {"type":"ping"}\n\n');
  });

  it('counts tokens and lists models with their state', async () => {
    await using running = await start();
    const { client } = running;
    expect(await client.messages.countTokens({ model: BODY.model, messages: BODY.messages })).toEqual({
      input_tokens: 12,
    });
    const models = await collect(client.models.list() as unknown as AsyncIterable<Event>);
    expect(models).toContainEqual(
      expect.objectContaining({ id: 'claude-sonnet-5-5', max_tokens: 128_000, lifecycle: 'active' }),
    );
    expect(await client.models.retrieve('claude-haiku-4-5-20251001')).toMatchObject({ id: 'claude-haiku-4-5' });
    await expect(client.models.retrieve('claude-2')).rejects.toMatchObject({ status: 404, type: 'not_found_error' });
  });

  it('gets what max_tokens and stop sequences leave of an answer', async () => {
    await using running = await start([
      { answer: { text: 'one two three four', toolCalls: [{ name: 'look', input: { path: 'x'.repeat(400) } }] } },
    ]);
    const ask = (patch: Partial<Anthropic.MessageCreateParamsNonStreaming>) =>
      running.client.messages.create({ ...BODY, tools: TOOLS, ...patch });
    expect(await ask({ max_tokens: 2 })).toMatchObject({
      content: [{ text: 'one two ' }],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 2 },
    });
    expect(await ask({ max_tokens: 10 })).toMatchObject({
      content: [{}, { type: 'tool_use', input: {} }],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 10 },
    });
    expect(await ask({ max_tokens: 0 })).toMatchObject({ content: [], usage: { output_tokens: 0 } });
    expect(await ask({ stop_sequences: ['zzz', ' three'] })).toMatchObject({
      content: [{ text: 'one two' }],
      stop_reason: 'stop_sequence',
      stop_sequence: ' three',
    });
    const stream = running.client.messages.stream({ ...BODY, tools: TOOLS, max_tokens: 10 });
    const parts = (await collect(stream)).map((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'input_json_delta' ? event.delta.partial_json : '',
    );
    expect(parts.join('')).toBe(`{"path":"${'x'.repeat(13)}`);
  });

  it('resumes a paused turn and sees a refusal', async () => {
    await using running = await start([
      { when: { turn: 1, lastMessage: 'hello' }, answer: { text: 'Wait.', stopReason: 'pause_turn' } },
      { when: { turn: 2 }, answer: { text: 'Here.' } },
      { answer: { stopReason: 'refusal', usage: { output_tokens: 7, cache_creation_input_tokens: 9 } } },
    ]);
    const { messages } = running.client;
    const paused = await messages.create(BODY);
    expect(paused.stop_reason).toBe('pause_turn');
    const resumed = await messages.create({
      ...BODY,
      messages: [...BODY.messages, { role: 'assistant', content: paused.content }],
    });
    expect(resumed.content).toMatchObject([{ text: 'Here.' }]);
    const refused = await messages.create({ ...BODY, messages: [{ role: 'user', content: 'bad' }] });
    expect(refused).toMatchObject({ content: [], stop_reason: 'refusal', stop_details: { type: 'refusal' } });
    expect(refused.usage).toMatchObject({ output_tokens: 7, cache_creation: { ephemeral_5m_input_tokens: 9 } });
  });

  it('leaves a stream early without a trace of it', async () => {
    await using running = await start([{ answer: { text: 'word '.repeat(2000) } }], { perTokenMs: 1 });
    const stream = await running.client.messages.create({ ...BODY, max_tokens: 4000, stream: true });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
    expect(await (await fetch(`${running.url}/healthz`)).json()).toEqual({ status: 'ok', simulator: true });
  });
});

describe('[X7.validates] over HTTP', () => {
  it.each<readonly [string, unknown, Record<string, string>, number, string]>([
    ['no key', BODY, { 'x-api-key': '' }, 401, 'authentication_error'],
    [
      'another kind of authorization',
      BODY,
      { 'x-api-key': ' ', authorization: 'Basic eDp5' },
      401,
      'authentication_error',
    ],
    ['no version', BODY, { 'anthropic-version': '' }, 400, 'invalid_request_error'],
    ['an unknown version', BODY, { 'anthropic-version': '2020-01-01' }, 400, 'invalid_request_error'],
    ['no JSON', '{"model":', {}, 400, 'invalid_request_error'],
    ['no body', '', {}, 400, 'invalid_request_error'],
    ['another media type', BODY, { 'content-type': 'text/plain' }, 400, 'invalid_request_error'],
    ['an unknown model', { ...BODY, model: 'claude-2' }, {}, 404, 'not_found_error'],
    ['sampling', { ...BODY, temperature: 1 }, {}, 400, 'invalid_request_error'],
  ])('%s is refused in the shape of the API', async (_name, body, headers, status, type) => {
    await using running = await start();
    const response = await running.post(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-cloutagent-simulator')).toBe('1');
    const answer = (await response.json()) as { request_id: string };
    expect(answer).toEqual({
      type: 'error',
      error: { type, message: expect.any(String) as unknown },
      request_id: response.headers.get('request-id'),
    });
    expect(answer.request_id).toMatch(/^req_sim_/u);
  });

  it('a body of more than 32 MB is too large, one of 30 MB too long a prompt', async () => {
    await using running = await start();
    const of = (megabytes: number) => ({
      ...BODY,
      messages: [{ role: 'user', content: 'x'.repeat(megabytes * 1024 * 1024) }],
    });
    const large = await running.post(of(33));
    expect([large.status, await large.json()]).toMatchObject([413, { error: { type: 'request_too_large' } }]);
    const long = await running.post(of(30));
    expect([long.status, await long.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('prompt is too long') as unknown } },
    ]);
  });

  it('Bearer is a key, older versions have sampling, another address is not found', async () => {
    await using running = await start();
    const bearer = { 'x-api-key': '', authorization: 'Bearer k', 'anthropic-version': '2023-06-01' };
    expect((await running.post({ ...BODY, temperature: 1 }, bearer)).status).toBe(200);
    const nowhere = await running.post(BODY, {}, '/v1/complete');
    expect([nowhere.status, await nowhere.json()]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error' } },
    ]);
    expect((await fetch(`${running.url}/v1/messages`)).status).toBe(405);
  });

  it('beta members pass with ?beta=true', async () => {
    await using running = await start();
    const body = { ...BODY, context_management: {} };
    expect((await running.post(body)).status).toBe(400);
    expect((await running.post(body, {}, '/v1/messages?beta=true')).status).toBe(200);
  });

  it('a conversation goes on only as it was', async () => {
    await using running = await start([
      { when: { turn: 1 }, answer: { toolCalls: [{ name: 'look', input: {} }] } },
      { answer: { text: 'a.txt' } },
    ]);
    const first = await running.client.messages.create({ ...BODY, tools: TOOLS });
    const id = first.content.find((block) => block.type === 'tool_use')?.id ?? '';
    const messages: Anthropic.MessageParam[] = [
      ...BODY.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'a.txt' }] },
    ];
    expect(await running.client.messages.create({ ...BODY, tools: TOOLS, messages })).toMatchObject({
      stop_reason: 'end_turn',
    });
    await expect(
      running.client.messages.create({ ...BODY, tools: TOOLS, messages, system: 'new' }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('bound to a different conversation') as unknown,
    });
  });
});

describe('[X7.marked] the simulator', () => {
  it('says what it is, in every answer', async () => {
    await using running = await start();
    const about = await fetch(running.url);
    expect(await about.json()).toMatchObject({ name: 'CloutAgent simulator', simulator: true });
    const all = [
      about,
      await running.post(BODY),
      await running.post({ ...BODY, stream: true }),
      await running.post({}),
      await fetch(`${running.url}/nowhere`),
    ];
    expect(all.map((response) => response.headers.get('x-cloutagent-simulator'))).toEqual(['1', '1', '1', '1', '1']);
    expect(await all[1]?.json()).toMatchObject({
      content: [{ text: expect.stringMatching(/^Simulated: /u) as unknown }],
    });
  });
});
