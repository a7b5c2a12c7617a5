import { describe, expect, it } from 'vitest';
import { createPromptCache } from './cache.ts';
import { createHistory, type History } from './history.ts';
import { answerWith } from './message.ts';
import type { Block } from './request.ts';
import type { Speech } from './scenario.ts';
import { PROFILES } from './profile.ts';
import { readRequest } from './validate/request.ts';

type Fields = Readonly<Record<string, unknown>>;

const tool = { name: 'look', description: 'looks', input_schema: { type: 'object' } };
const question: Fields = { role: 'user', content: 'What is there?' };
const parse = (patch: Fields) =>
  readRequest(
    { model: 'claude-opus-5-5', max_tokens: 1000, system: 'Be short.', tools: [tool], messages: [question], ...patch },
    { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: 0 },
  );
const ask = (history: History, speech: Speech, patch: Fields = {}): readonly Block[] =>
  answerWith(speech, new Map(), parse(patch), {
    cache: createPromptCache(),
    profile: PROFILES.anthropic,
    history,
    monotonicMs: 0,
    id: 'msg_sim_1',
  }).message.content;
const check = (history: History, patch: Fields): string => {
  try {
    history.check(parse(patch));
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
};
const resultsOf = (content: readonly Block[]): Fields => ({
  role: 'user',
  content: content
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'a.txt' })),
});

const CALLS: Speech = {
  text: 'I look.',
  toolCalls: [
    { name: 'look', input: { b: 1, a: [2] } },
    { name: 'look', input: {} },
  ],
};
const BOUND = 'bound to a different conversation';

describe('[X7.validates] the history', () => {
  const history = createHistory();
  const content = ask(history, CALLS);
  const turns = [question, { role: 'assistant', content }, resultsOf(content)];
  const edited = (change: (block: Block) => Fields): Fields => ({
    messages: [question, { role: 'assistant', content: content.map(change) }, resultsOf(content)],
  });

  it('is accepted as it was, also by a process that has not seen it', () => {
    expect(check(history, { messages: turns })).toBe('accepted');
    expect(check(createHistory(), { messages: turns })).toBe('accepted');
  });

  it.each<readonly [string, Fields]>([
    [
      'moved marks',
      {
        messages: turns,
        cache_control: { type: 'ephemeral' },
        system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
      },
    ],
    [
      'members in another order and empty ones left out',
      edited(({ citations: _, caller: __, ...block }) =>
        block.type === 'tool_use' && 'a' in Object(block['input']) ? { ...block, input: { a: [2], b: 1 } } : block,
      ),
    ],
    ['another model', { messages: turns, model: 'claude-sonnet-5-5' }],
  ])('is accepted with %s', (_name, patch) => {
    expect(check(history, patch)).toBe('accepted');
  });

  it.each<readonly [string, Fields]>([
    ['another system prompt', { messages: turns, system: 'Be long.' }],
    ['another tool', { messages: turns, tools: [{ ...tool, description: 'peeks' }] }],
    ['another first message', { messages: [{ role: 'user', content: 'What is here?' }, ...turns.slice(1)] }],
    ['a message more in front', { messages: [question, ...turns] }],
    ['another text in our turn', edited((block) => (block.type === 'text' ? { ...block, text: 'I looked.' } : block))],
    [
      'another input in our turn',
      edited((block) => (block.type === 'tool_use' ? { ...block, input: { c: 1 } } : block)),
    ],
    [
      'a block of our turn left out',
      { messages: [question, { role: 'assistant', content: content.slice(1) }, resultsOf(content)] },
    ],
  ])('is refused with %s', (_name, patch) => {
    expect(check(createHistory(), patch)).toContain(BOUND);
  });

  it('is refused where an earlier result was rewritten', () => {
    const next = ask(history, { toolCalls: [{ name: 'look', input: {} }] }, { messages: turns });
    const rewritten = { role: 'user', content: resultsOf(content)['content'] };
    const later = { role: 'assistant', content: next };
    expect(check(history, { messages: [...turns.slice(0, 2), rewritten, later, resultsOf(next)] })).toBe('accepted');
    const shorter = (rewritten.content as readonly Fields[]).map((block) => ({ ...block, content: '…' }));
    expect(
      check(history, { messages: [...turns.slice(0, 2), { role: 'user', content: shorter }, later, resultsOf(next)] }),
    ).toContain(BOUND);
  });

  it('remembers answers of text only, and takes the same words from a conversation that it has not seen', () => {
    const plain = createHistory();
    const said = { role: 'assistant', content: ask(plain, { text: 'Done.' }) };
    const more = { role: 'user', content: 'Sure?' };
    expect(check(plain, { messages: [question, said, more] })).toBe('accepted');
    expect(check(plain, { messages: [question, said, more], system: 'Be long.' })).toContain(BOUND);
    expect(check(plain, { messages: [{ role: 'user', content: 'Another task' }, said, more] })).toBe('accepted');
    ask(plain, { text: 'Done.' }, { system: 'Be long.' });
    expect(check(plain, { messages: [question, said, more], system: 'Be long.' })).toBe('accepted');
  });

  it('has signed thoughts, which may be left out but not changed', () => {
    const thoughtful = ask(history, { ...CALLS, thinking: 'Where?' });
    const with_ = (blocks: readonly Fields[]): Fields => ({
      messages: [question, { role: 'assistant', content: blocks }, resultsOf(thoughtful)],
    });
    expect(check(history, with_(thoughtful))).toBe('accepted');
    expect(check(history, with_(thoughtful.slice(1)))).toBe('accepted');
    expect(
      check(
        history,
        with_(thoughtful.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'Here?' } : block))),
      ),
    ).toContain(BOUND);
    expect(
      check(history, with_([{ type: 'thinking', thinking: 'Mine', signature: 'abc' }, ...thoughtful.slice(1)])),
    ).toContain('Invalid `signature`');
  });

  it('takes back a tool call that max_tokens cut, whatever the client made of it', () => {
    const cut = ask(history, { toolCalls: [{ name: 'look', input: { path: 'x'.repeat(500) } }] }, { max_tokens: 20 });
    const mended = cut.map((block) => ({ ...block, input: { broken: '{"path":"xx' } }));
    expect(check(history, { messages: [question, { role: 'assistant', content: mended }, resultsOf(cut)] })).toBe(
      'accepted',
    );
  });
});
