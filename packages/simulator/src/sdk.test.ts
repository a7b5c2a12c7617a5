import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenario.ts';
import { startSimulator } from './server.ts';

const BODY = { model: 'claude-opus-5-5', max_tokens: 1000, messages: [{ role: 'user' as const, content: 'hello' }] };

const start = async (rules?: readonly unknown[]) => {
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    ...(rules === undefined ? {} : { scenario: parseScenario({ format: 1, rules }) }),
  });
  const client = new Anthropic({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  return { ...simulator, client, [Symbol.asyncDispose]: () => simulator.close() };
};

const SCHEMA = {
  type: 'object',
  properties: {
    kind: { enum: ['feature', 'bugfix'] },
    count: { type: 'integer', minimum: 3 },
    ok: { type: 'boolean' },
    parts: { type: 'array', items: { $ref: '#/$defs/part' }, minItems: 1 },
    extra: { type: 'string' },
  },
  required: ['kind', 'count', 'ok', 'parts'],
  additionalProperties: false,
  $defs: {
    part: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    },
  },
} as const;
// The SDK leaves `minimum` out of what it sends.
const SAMPLE = { kind: 'feature', count: 0, ok: false, parts: [{ name: 'simulated' }] };

describe('[X7.http] helpers of the official SDK', () => {
  it('parse gets what fits the schema: made up, or as the scenario says it', async () => {
    await using running = await start();
    const output_config = { format: jsonSchemaOutputFormat(SCHEMA) };
    const parsed = await running.client.messages.parse({ ...BODY, output_config });
    expect(parsed.parsed_output).toEqual(SAMPLE);
    await using scripted = await start([{ answer: { text: '{"kind":"bugfix","count":9,"ok":true,"parts":[]}' } }]);
    const said = await scripted.client.messages.parse({ ...BODY, output_config });
    expect(said.parsed_output).toMatchObject({ kind: 'bugfix', count: 9 });
  });

  it.each([
    ['an open object', { type: 'object', properties: {} }],
    ['an open object further in', { ...SCHEMA, $defs: { part: { type: 'object' } } }],
  ])('a schema with %s is refused', async (_name, schema) => {
    await using running = await start();
    const output_config = { format: { type: 'json_schema' as const, schema } };
    await expect(running.client.messages.create({ ...BODY, output_config })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("'additionalProperties' must be explicitly set to false") as unknown,
    });
  });

  it('MessageStream tells text, thinking, signature, tool input and the whole message', async () => {
    await using running = await start([
      { answer: { thinking: 'I think.', text: 'I look.', toolCalls: [{ name: 'look', input: { path: 'a' } }] } },
    ]);
    const told: string[] = [];
    const stream = running.client.messages
      .stream({ ...BODY, tools: [{ name: 'look', input_schema: { type: 'object' } }] })
      .on('text', (text) => told.push(`text ${text}`))
      .on('thinking', (text) => told.push(`thinking ${text}`))
      .on('signature', (signature) => told.push(`signature ${signature.slice(0, 4)}`))
      .on('inputJson', (_part, whole) => told.push(`input ${JSON.stringify(whole)}`));
    const message = await stream.finalMessage();
    expect(told.filter((line) => !line.startsWith('input'))).toEqual([
      'thinking I think.',
      'signature sim_',
      'text I look.',
    ]);
    expect(told.at(-1)).toBe('input {"path":"a"}');
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use']);
  });

  it('toolRunner without threads runs parallel calls and gets the end of the turn', async () => {
    await using running = await start([
      {
        when: { turn: 1 },
        answer: {
          thinking: 'Two at once.',
          toolCalls: [
            { name: 'add', input: { a: 1, b: 2 } },
            { name: 'add', input: { a: 3, b: 4 } },
          ],
        },
      },
      { when: { lastMessage: { regex: '^(\\d+)\\n(\\d+)$' } }, answer: { text: 'sums {{match.1}} and {{match.2}}' } },
    ]);
    const add = betaTool({
      name: 'add',
      description: 'Adds',
      inputSchema: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
      run: ({ a, b }) => String(a + b),
    });
    const last = await running.client.beta.messages.toolRunner({ ...BODY, tools: [add], thread: false });
    expect(last.content).toMatchObject([{ type: 'text', text: 'sums 3 and 7' }]);
    await expect(running.client.beta.messages.toolRunner({ ...BODY, tools: [add] })).rejects.toMatchObject({
      message: expect.stringContaining('message threads are not simulated') as unknown,
    });
  });

  it.each(['end_turn', 'max_tokens', 'stop_sequence', 'pause_turn', 'refusal', 'model_context_window_exceeded'])(
    'create and stream end with the stop reason %s',
    async (stopReason) => {
      await using running = await start([{ answer: { text: 'words', stopReason } }]);
      const created = await running.client.messages.create(BODY);
      const streamed = await running.client.messages.stream(BODY).finalMessage();
      expect([created.stop_reason, streamed.stop_reason]).toEqual([stopReason, stopReason]);
    },
  );

  it('models.list has every model with its state, retired ones too, and filters by it', async () => {
    await using running = await start();
    const all = await running.client.models.list();
    const state = (id: string): unknown => all.data.find((model) => model.id === id);
    expect(state('claude-opus-5-5')).toMatchObject({
      lifecycle: 'active',
      line: 'opus',
      max_tokens: 128_000,
      capabilities: { thinking: { types: { adaptive: { supported: true }, disabled: { supported: false } } } },
    });
    expect(state('claude-3-opus-20240229')).toMatchObject({
      lifecycle: 'retired',
      retires_at: '2026-01-05T00:00:00.000Z',
    });
    const retired = await running.client.models.list({ lifecycle: ['retired'] });
    expect(new Set(retired.data.map(({ lifecycle }) => lifecycle))).toEqual(new Set(['retired']));
    await expect(running.client.models.retrieve('claude-opus-4')).rejects.toMatchObject({ status: 404 });
  });

  it.each<readonly [string, unknown, string]>([
    [
      'no such kind',
      { type: 'image', source: { type: 'base64', media_type: 'image/bmp', data: 'AAAA' } },
      'media_type',
    ],
    ['no base64', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'a!' } }, 'invalid base64'],
    ['no address', { type: 'image', source: { type: 'url', url: 'file:///etc/passwd' } }, 'valid URL'],
    ['no source', { type: 'image' }, 'source: Field required'],
    [
      'too large',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA'.repeat(2 * 1024 * 1024) } },
      'image exceeds 5 MB',
    ],
    ['no PDF', { type: 'document', source: { type: 'base64', media_type: 'text/html', data: 'AAAA' } }, 'media_type'],
    [
      'an empty text',
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '' } },
      'not be empty',
    ],
  ])('an image or document with %s is refused', async (_name, block, message) => {
    await using running = await start();
    const content = [block as Anthropic.ImageBlockParam];
    await expect(
      running.client.messages.create({ ...BODY, messages: [{ role: 'user', content }] }),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining(message) as unknown });
  });

  it('images and documents are taken, in tool results too', async () => {
    await using running = await start([{ answer: { text: 'seen' } }]);
    const image = {
      type: 'image' as const,
      source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0K' },
    };
    const document = {
      type: 'document' as const,
      source: { type: 'text' as const, media_type: 'text/plain' as const, data: 'x' },
    };
    const call = { type: 'tool_use' as const, id: 't1', name: 'look', input: {} };
    const seen = await running.client.messages.create({
      ...BODY,
      messages: [
        { role: 'user', content: [image, document] },
        { role: 'assistant', content: [call] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image] }] },
      ],
    });
    expect(seen.content).toMatchObject([{ text: 'seen' }]);
  });
});
