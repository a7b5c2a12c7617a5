import { describe, expect, it } from 'vitest';
import { Refusal } from '../refusal.ts';
import { PROFILES } from '../profile.ts';
import { readCountRequest, readRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

const NOW = Date.parse('2026-11-20');
const user = (content: unknown): Fields => ({ role: 'user', content });
const assistant = (content: unknown): Fields => ({ role: 'assistant', content });
const tool = (name: string, more: Fields = {}): Fields => ({ name, input_schema: { type: 'object' }, ...more });

const BASE: Fields = { model: 'claude-sonnet-5-5', max_tokens: 100, messages: [user('hello')] };
const read = (patch: Fields, options: { beta?: boolean; nowMs?: number } = {}) =>
  readRequest(
    { ...BASE, ...patch },
    { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: NOW, ...options },
  );

const refusalOf = (act: () => unknown): { status: number; type: string; message: string } => {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, type: error.type, message: error.message };
    throw error;
  }
  return { status: 200, type: '', message: 'accepted' };
};

/** What is wrong, the members that make it so, what the refusal says. All are 400. */
const REFUSED: readonly (readonly [string, Fields, string])[] = [
  ['no model', { model: undefined }, 'model: Field required'],
  ['model of another kind', { model: 5 }, 'model: Input should be a valid string'],
  ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
  ['max_tokens with a fraction', { max_tokens: 1.5 }, 'max_tokens: Input should be a valid integer'],
  ['negative max_tokens', { max_tokens: -1 }, 'max_tokens: Input should be greater than or equal to 0'],
  ['max_tokens above the maximum', { max_tokens: 128_001 }, 'max_tokens: 128001 > 128000, which is the maximum'],
  ['no messages', { messages: undefined }, 'messages: Field required'],
  ['messages of another kind', { messages: 'hello' }, 'messages: Input should be a valid list'],
  ['empty messages', { messages: [] }, 'messages: at least one message is required'],
  ['unknown member', { foo: 1 }, 'foo: Extra inputs are not permitted'],
  ['beta member without beta', { mcp_servers: [] }, 'mcp_servers: Extra inputs are not permitted'],
  ['temperature', { temperature: 0.5 }, 'temperature: Sampling parameters are not supported'],
  ['top_p', { top_p: 0.5 }, 'top_p: Sampling parameters are not supported'],
  ['top_k', { top_k: 5 }, 'top_k: Sampling parameters are not supported'],
  ['stream of another kind', { stream: 'yes' }, 'stream: Input should be a valid boolean'],
  ['blank stop sequence', { stop_sequences: [' '] }, 'each stop sequence must contain non-whitespace'],
  ['unknown service tier', { service_tier: 'fast' }, 'service_tier: Input should be'],
  ['thinking budget', { thinking: { type: 'enabled', budget_tokens: 2048 } }, 'thinking.budget_tokens: not supported'],
  [
    'thinking that cannot be disabled',
    { thinking: { type: 'disabled' } },
    "thinking.type: 'disabled' is not supported",
  ],
  ['unknown effort', { output_config: { effort: 'huge' } }, 'output_config.effort: Input should be'],
  [
    'dot in a tool name',
    { tools: [tool('change.open')] },
    "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
  ],
  ['empty tool name', { tools: [tool('')] }, 'tools.0.custom.name: String should match'],
  ['tool name of 129 characters', { tools: [tool('a'.repeat(129))] }, 'tools.0.custom.name: String should match'],
  ['two tools of one name', { tools: [tool('a'), tool('a')] }, 'tools: Tool names must be unique.'],
  ['tool without schema', { tools: [{ name: 'a' }] }, 'tools.0.custom.input_schema: Field required'],
  ['schema without type', { tools: [{ name: 'a', input_schema: {} }] }, 'input_schema.type: Field required'],
  [
    'schema of a list',
    { tools: [{ name: 'a', input_schema: { type: 'array' } }] },
    "input_schema.type: Input should be 'object'",
  ],
  [
    'anyOf at the top',
    { tools: [{ name: 'a', input_schema: { type: 'object', anyOf: [] } }] },
    'does not support oneOf, allOf, or anyOf',
  ],
  ['unknown member of a tool', { tools: [tool('a', { inputSchema: {} })] }, 'tools.0.custom.inputSchema: Extra inputs'],
  ['unknown kind of tool', { tools: [tool('a', { type: 'function' })] }, "tools.0: Input tag 'function'"],
  [
    'forced tool',
    { tools: [tool('a')], tool_choice: { type: 'tool', name: 'a' } },
    "tool_choice.type: 'tool' is not supported by claude-sonnet-5-5",
  ],
  [
    'any tool',
    { tools: [tool('a')], tool_choice: { type: 'any' } },
    "tool_choice.type: 'any' is not supported by claude-sonnet-5-5",
  ],
  ['choice without tools', { tool_choice: { type: 'auto' } }, 'may only be specified while providing tools'],
  [
    'forced tool that is not there',
    { model: 'claude-haiku-5-5', tools: [tool('a')], tool_choice: { type: 'tool', name: 'b' } },
    "Tool 'b' not found in provided tools",
  ],
  [
    'prompt that does not fit',
    { model: 'claude-haiku-4-5', messages: [user('x'.repeat(900_000))] },
    'prompt is too long: 225011 tokens > 200000 maximum',
  ],
];

describe('[X7.validates] a request', () => {
  it.each(REFUSED)('with %s is refused', (_name, patch, message) => {
    const refusal = refusalOf(() => read(patch));
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refusal.message).toContain(message);
  });

  it.each([
    ['unknown', 'claude-2'],
    ['never an id', 'claude-opus-4'],
    ['retired', 'claude-3-opus-20240229'],
    ['a name of Object', 'constructor'],
  ])('for a model that is %s is not found', (_name, model) => {
    expect(refusalOf(() => read({ model }))).toMatchObject({
      status: 404,
      type: 'not_found_error',
      message: expect.stringContaining(`model: ${model}`) as unknown,
    });
  });

  it('for a model is refused from the day of its retirement', () => {
    const patch = { model: 'claude-sonnet-4-5' };
    expect(read(patch, { nowMs: Date.parse('2026-11-29') }).model.id).toBe('claude-sonnet-4-5');
    expect(refusalOf(() => read(patch, { nowMs: Date.parse('2026-11-30') }))).toMatchObject({ status: 404 });
  });

  it.each([[[]], ['text'], [null], [undefined]])('that is %j is refused', (body) => {
    expect(
      refusalOf(() =>
        readRequest(body, {
          version: '2026-10-21',
          beta: false,
          betas: new Set(),
          profile: PROFILES.anthropic,
          nowMs: NOW,
        }),
      ),
    ).toMatchObject({
      status: 400,
    });
  });

  it.each<readonly [string, Fields]>([
    ['max_tokens 0', { max_tokens: 0 }],
    ['the largest max_tokens', { max_tokens: 128_000 }],
    ['members that are null', { system: null, tools: null, tool_choice: null, thinking: null, stop_sequences: null }],
    ['an empty system prompt', { system: '' }],
    ['the longest tool name', { tools: [tool('a'.repeat(128))] }],
    ['a tool that the API defines', { tools: [{ type: 'web_search_20260318', name: 'web_search' }] }],
    [
      'a forced tool where it is possible',
      { model: 'claude-haiku-5-5', tools: [tool('a')], tool_choice: { type: 'tool', name: 'a' } },
    ],
    ['adaptive thinking', { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }],
    [
      'a thinking budget on an older model',
      { model: 'claude-haiku-4-5', max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 } },
    ],
    ['prefill on an older model', { model: 'claude-haiku-4-5', messages: [user('x'), assistant('{')] }],
  ])('with %s is accepted', (_name, patch) => {
    expect(refusalOf(() => read(patch))).toMatchObject({ message: 'accepted' });
  });

  it('of a message thread is refused even with beta: only whole histories are simulated', () => {
    expect(refusalOf(() => read({ thread: { continue: 'x' } }, { beta: true })).message).toContain('thread');
  });

  it('to count needs no max_tokens', () => {
    const options = {
      version: '2026-10-21',
      beta: false,
      betas: new Set<string>(),
      profile: PROFILES.anthropic,
      nowMs: NOW,
    };
    // {"messages":[{"content":"hello","role":"user"}]} has 48 bytes.
    expect(readCountRequest({ model: 'claude-sonnet-5-5', messages: [user('hello')] }, options)).toBe(12);
  });
});
