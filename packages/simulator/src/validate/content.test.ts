import { describe, expect, it } from 'vitest';
import { Refusal } from '../refusal.ts';
import { PROFILES } from '../profile.ts';
import { readRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

const user = (content: unknown): Fields => ({ role: 'user', content });
const assistant = (content: unknown): Fields => ({ role: 'assistant', content });
const call = (id: string): Fields => ({ type: 'tool_use', id, name: 'read', input: {} });
const result = (id: string, more: Fields = {}): Fields => ({
  type: 'tool_result',
  tool_use_id: id,
  content: 'ok',
  ...more,
});
const text = (value: string, more: Fields = {}): Fields => ({ type: 'text', text: value, ...more });
const tool = (name: string, more: Fields = {}): Fields => ({ name, input_schema: { type: 'object' }, ...more });
const mark = (ttl?: string): Fields => ({
  cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) },
});
const answered = (...results: readonly unknown[]): Fields => ({
  messages: [user('go'), assistant([call('t1'), call('t2')]), user(results)],
});

const BASE: Fields = { model: 'claude-sonnet-5-5', max_tokens: 100, messages: [user('hello')] };
const read = (patch: Fields) =>
  readRequest(
    { ...BASE, ...patch },
    { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: 0 },
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

/** What is wrong in the messages, the members that make it so, what the refusal says. All are 400. */
const REFUSED: readonly (readonly [string, Fields, string])[] = [
  ['unknown role', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role: Input should be'],
  ['member of a message', { messages: [{ ...user('x'), name: 'me' }] }, 'messages.0.name: Extra inputs'],
  ['first message not user', { messages: [assistant('x'), user('y')] }, 'first message must use the "user" role'],
  ['prefill', { messages: [user('x'), assistant('{')] }, 'must end with a user message'],
  ['empty content', { messages: [user('')] }, 'messages.0: all messages must have non-empty content'],
  ['content without blocks', { messages: [user([])] }, 'messages.0: all messages must have non-empty content'],
  ['empty text block', { messages: [user([text('')])] }, 'text content blocks must be non-empty'],
  ['blank text block', { messages: [user([text(' \n')])] }, 'text content blocks must contain non-whitespace text'],
  ['blank string', { messages: [user('  ')] }, 'text content blocks must contain non-whitespace text'],
  ['empty system block', { system: [text('')] }, 'system: text content blocks must be non-empty'],
  ['image in system', { system: [{ type: 'image', source: {} }] }, "system.0: Input tag 'image'"],
  ['unknown block', { messages: [user([{ type: 'video' }])] }, "messages.0.content.0: Input tag 'video'"],
  [
    'unknown member of a block',
    { messages: [user([text('x', { parsed: 1 })])] },
    'content.0.text.parsed: Extra inputs',
  ],
  ['tool_use by the user', { messages: [user([call('t1')])] }, '`tool_use` blocks can only be in `assistant`'],
  [
    'tool_result by the assistant',
    { messages: [user('x'), assistant([result('t1')]), user('y')] },
    'can only be in `user`',
  ],
  [
    'call without result',
    { messages: [user('x'), assistant([call('t1')]), user('y')] },
    'without `tool_result` blocks immediately after: t1.',
  ],
  [
    'call at the end',
    { messages: [user('x'), assistant([call('t1')])] },
    'without `tool_result` blocks immediately after: t1.',
  ],
  ['one result of two', answered(result('t1')), 'without `tool_result` blocks immediately after: t2.'],
  [
    'results in two messages',
    { messages: [user('x'), assistant([call('t1'), call('t2')]), user([result('t1')]), user([result('t2')])] },
    'without `tool_result` blocks immediately after: t2.',
  ],
  [
    'result without call',
    { messages: [user([result('t9')])] },
    'unexpected `tool_use_id` found in `tool_result` blocks: t9.',
  ],
  ['result of an unknown call', answered(result('t1'), result('t2'), result('t3')), 'unexpected `tool_use_id` found'],
  [
    'two results of one call',
    answered(result('t1'), result('t2'), result('t2')),
    'each tool_use must have a single result',
  ],
  ['text before results', answered(text('x'), result('t1'), result('t2')), '`tool_result` blocks must come first'],
  [
    'empty error result',
    answered(result('t1'), result('t2', { is_error: true, content: '' })),
    'content cannot be empty if `is_error` is true',
  ],
  [
    'empty text in a result',
    answered(result('t1'), result('t2', { content: [text('')] })),
    'text content blocks must be non-empty',
  ],
  [
    'is_error of another kind',
    answered(result('t1'), result('t2', { is_error: 'yes' })),
    'is_error: Input should be a valid boolean',
  ],
  [
    'repeated call id',
    {
      messages: [
        user('x'),
        assistant([call('t1')]),
        user([result('t1')]),
        assistant([call('t1')]),
        user([result('t1')]),
      ],
    },
    '`tool_use` ids must be unique',
  ],
  [
    'illegal call id',
    { messages: [user('x'), assistant([call('t.1')]), user([result('t.1')])] },
    'tool_use.id: String should match',
  ],
  [
    'call without input',
    { messages: [user('x'), assistant([{ ...call('t1'), input: undefined }]), user([result('t1')])] },
    'input: Field required',
  ],
  [
    'five breakpoints',
    { messages: [user([1, 2, 3, 4, 5].map((n) => text(`${n}`, mark())))] },
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  [
    '1h after 5m',
    { system: [text('a', mark('5m'))], messages: [user([text('b', mark('1h'))])] },
    "ttl='1h' cache_control block must not come after",
  ],
  ['unknown ttl', { system: [text('a', mark('2h'))] }, 'system.0.cache_control.ttl: Input should be'],
  [
    'mark on an empty text',
    { messages: [user([text('', mark())])] },
    'cache_control cannot be set for empty text blocks',
  ],
  [
    'mark on a thought',
    { messages: [user('x'), assistant([{ type: 'thinking', thinking: 'a', signature: 'b', ...mark() }]), user('y')] },
    'thinking.cache_control: Extra inputs',
  ],
];

describe('[X7.validates] the content of a request', () => {
  it.each(REFUSED)('with %s is refused', (_name, patch, message) => {
    const refusal = refusalOf(() => read(patch));
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refusal.message).toContain(message);
  });

  it.each<readonly [string, Fields]>([
    ['two user messages in a row', { messages: [user('x'), user('y')] }],
    ['a system message in between', { messages: [user('x'), { role: 'system', content: 'y' }, user('z')] }],
    ['all results and text behind them', answered(result('t2'), result('t1'), text('and now'))],
    ['a result without content', answered(result('t1'), { type: 'tool_result', tool_use_id: 't2' })],
    ['an empty result', answered(result('t1'), result('t2', { content: '' }))],
    ['a result of white space', answered(result('t1'), result('t2', { content: [text('\n')] }))],
    [
      'an image in a result',
      answered(
        result('t1'),
        result('t2', {
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0K' } }],
        }),
      ),
    ],
    [
      'a paused turn at the end',
      { messages: [user('x'), assistant([{ type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }])] },
    ],
    [
      'blocks as they were answered',
      {
        messages: [
          user('x'),
          assistant([text('y', { citations: null }), { ...call('t1'), caller: { type: 'direct' } }]),
          user([result('t1')]),
        ],
      },
    ],
    [
      'four breakpoints',
      {
        cache_control: { type: 'ephemeral' },
        system: [text('a', mark('1h'))],
        messages: [user([text('b', mark()), text('c', mark())])],
      },
    ],
  ])('with %s is accepted', (_name, patch) => {
    expect(refusalOf(() => read(patch))).toMatchObject({ message: 'accepted' });
  });

  it('is read without the marks of the cache', () => {
    const request = read({
      system: [text('a', mark())],
      tools: [tool('b', mark())],
      messages: [user([text('c', mark())])],
    });
    expect(JSON.stringify(request.prompt)).not.toContain('cache_control');
    expect(JSON.stringify([request.system, request.tools, request.messages])).not.toContain('cache_control');
    expect(request.breakpoints.map(({ at }) => at.in)).toEqual(['tools', 'system', 'messages']);
  });
});
