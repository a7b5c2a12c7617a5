import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { PROFILE_NAMES, type ProfileName } from './profile.ts';
import { parseScenario } from './parse-scenario.ts';
import { startSimulator } from './server.ts';

const BODY = { model: 'qwen3-coder', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hello' }] };
const TOOLS = [{ name: 'look', input_schema: { type: 'object' as const } }];
const KEY = { 'x-api-key': 'k' };
const BEARER = { authorization: 'Bearer k' };

const start = async (profile: ProfileName) => {
  const scenario = parseScenario({
    format: 1,
    rules: [
      { when: { turn: 1, tools: ['look'] }, answer: { thinking: 'Hm.', toolCalls: [{ name: 'look', input: {} }] } },
      { answer: { text: 'done' } },
    ],
  });
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1', profile, scenario });
  const post = async (
    body: unknown,
    headers: Record<string, string>,
    path = '/v1/messages',
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(simulator.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { ...simulator, post, [Symbol.asyncDispose]: () => simulator.close() };
};

/** Whether nothing, x-api-key, Bearer, both are let in. */
const LETS_IN: Readonly<Record<ProfileName, readonly [boolean, boolean, boolean, boolean]>> = {
  anthropic: [false, true, true, true],
  ollama: [true, true, true, true],
  lmstudio: [true, true, true, true],
  'llama.cpp': [true, true, true, true],
  vllm: [true, true, true, true],
  litellm: [false, false, true, false],
  openrouter: [false, false, true, false],
};

const TAKES: readonly (readonly [string, Record<string, unknown>, readonly ProfileName[]])[] = [
  ['temperature', { temperature: 0.5 }, ['ollama', 'lmstudio', 'llama.cpp', 'vllm', 'litellm', 'openrouter']],
  ['thinking', { thinking: { type: 'adaptive' } }, ['anthropic', 'ollama', 'litellm', 'openrouter']],
  [
    'tool_choice',
    { tools: TOOLS, tool_choice: { type: 'auto' } },
    ['anthropic', 'lmstudio', 'llama.cpp', 'vllm', 'litellm', 'openrouter'],
  ],
  ['cache_control', { cache_control: { type: 'ephemeral' } }, ['anthropic', 'litellm', 'openrouter']],
  ['effort', { output_config: { effort: 'low' } }, ['anthropic', 'litellm']],
  ['betas', { context_management: {} }, []],
  [
    'a document',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }],
        },
      ],
    },
    ['anthropic', 'litellm', 'openrouter'],
  ],
];

describe('[X7.profiles] a profile', () => {
  const NAMES = PROFILE_NAMES as readonly ProfileName[];
  const bodyFor = (name: ProfileName) => (name === 'anthropic' ? { ...BODY, model: 'claude-sonnet-5-5' } : BODY);

  it.each(NAMES)('%s lets in who has the key that the server asks for', async (name) => {
    await using running = await start(name);
    const version = { 'anthropic-version': '2023-06-01' };
    const statuses = [];
    for (const headers of [{}, KEY, BEARER, { ...KEY, ...BEARER }]) {
      statuses.push((await running.post(bodyFor(name), { ...version, ...headers })).status);
    }
    expect(statuses).toEqual(LETS_IN[name].map((isIn) => (isIn ? 200 : 401)));
  });

  it.each(NAMES)('%s takes the subset of the server and refuses the rest', async (name) => {
    await using running = await start(name);
    const headers = { ...BEARER, 'anthropic-version': name === 'anthropic' ? '2026-10-21' : '2023-06-01' };
    for (const [what, patch, takers] of TAKES) {
      const { status } = await running.post({ ...bodyFor(name), ...patch }, headers);
      expect([what, status]).toEqual([what, takers.includes(name) ? 200 : 400]);
    }
    expect((await running.post(BODY, headers)).status).toBe(name === 'anthropic' ? 404 : 200);
  });

  it.each(NAMES)('%s looks at the version as the server does', async (name) => {
    await using running = await start(name);
    const statuses = [];
    for (const version of [undefined, '2023-01-01', '2023-06-01']) {
      const headers = version === undefined ? BEARER : { ...BEARER, 'anthropic-version': version };
      statuses.push((await running.post(bodyFor(name), headers)).status);
    }
    expect(statuses).toEqual(name === 'anthropic' ? [400, 200, 200] : [200, 400, 200]);
  });

  it.each<readonly [ProfileName, number, number]>([
    ['anthropic', 200, 200],
    ['ollama', 404, 404],
    ['lmstudio', 404, 404],
    ['llama.cpp', 200, 404],
    ['vllm', 200, 404],
    ['litellm', 200, 404],
    ['openrouter', 404, 404],
  ])('%s has what the server has beside messages', async (name, count, models) => {
    await using running = await start(name);
    const headers = { ...BEARER, 'anthropic-version': '2023-06-01' };
    const { max_tokens: _, ...body } = bodyFor(name);
    expect((await running.post(body, headers, '/v1/messages/count_tokens')).status).toBe(count);
    expect((await fetch(`${running.url}/v1/models`, { headers })).status).toBe(models);
    expect(await (await fetch(running.url)).json()).toMatchObject({ profile: name });
  });

  it.each(NAMES)('%s does a tool run with the official SDK, with the usage that the server knows', async (name) => {
    await using running = await start(name);
    const client = new Anthropic({
      baseURL: running.url,
      apiKey: 'k',
      maxRetries: 0,
      defaultHeaders: { 'anthropic-version': '2023-06-01' },
    });
    const ask = (messages: Anthropic.MessageParam[]) =>
      client.messages.stream({ ...bodyFor(name), messages, tools: TOOLS }).finalMessage();
    const first = await ask(BODY.messages);
    const id = first.content.find((block) => block.type === 'tool_use')?.id ?? '';
    const results = [{ type: 'tool_result' as const, tool_use_id: id, content: 'a.txt' }];
    // A system prompt of another turn breaks the binding, which only Anthropic's answers have.
    const second = await ask([
      ...BODY.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: results },
    ]);
    expect(second.stop_reason).toBe('end_turn');
    const hasCaches = name === 'anthropic' || name === 'openrouter';
    expect('cache_read_input_tokens' in first.usage).toBe(hasCaches);
    expect(first.usage.output_tokens).toBeGreaterThan(0);
    const edited = client.messages.create({
      ...bodyFor(name),
      tools: TOOLS,
      system: 'new',
      messages: [...BODY.messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }],
    });
    const outcome: unknown = await edited.then(
      ({ stop_reason }) => stop_reason,
      (error: unknown) => (error instanceof APIError ? Number(error.status) : error),
    );
    expect(outcome).toBe(name === 'anthropic' ? 400 : 'end_turn');
  });
});
