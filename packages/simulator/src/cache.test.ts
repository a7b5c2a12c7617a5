import { describe, expect, it } from 'vitest';
import { createPromptCache, type InputSplit } from './cache.ts';
import { countInput } from './tokens.ts';
import { PROFILES } from './profile.ts';
import { readRequest } from './validate/request.ts';

type Fields = Readonly<Record<string, unknown>>;
const MINUTE = 60_000;
const mark = { cache_control: { type: 'ephemeral' } };
const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
const long = (word: string): string => `${word} `.repeat(2000);
const block = (text: string, more: Fields = {}): Fields => ({ type: 'text', text, ...more });

const request = (patch: Fields) =>
  readRequest(
    { model: 'claude-sonnet-5-5', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }], ...patch },
    { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: 0 },
  );
const total = ({ input, read, write5m, write1h }: InputSplit): number => input + read + write5m + write1h;

describe('[X7.http] the prompt cache', () => {
  it('leaves everything to input where nothing is marked', () => {
    const cache = createPromptCache();
    const plain = request({ system: long('a') });
    cache.account(plain, 0);
    expect(cache.account(plain, 1)).toEqual({ input: countInput(plain.prompt), read: 0, write5m: 0, write1h: 0 });
  });

  it('writes a prefix first and reads it within five minutes, each read renewing it', () => {
    const cache = createPromptCache();
    const marked = request({ system: [block(long('a'), mark)] });
    const first = cache.account(marked, 0);
    expect(first.write5m).toBeGreaterThan(1000);
    expect(first).toMatchObject({ read: 0, write1h: 0 });
    expect(first.input).toBeGreaterThan(0);
    const again: InputSplit = { ...first, read: first.write5m, write5m: 0 };
    expect(cache.account(marked, 4 * MINUTE)).toEqual(again);
    expect(cache.account(marked, 8 * MINUTE)).toEqual(again);
    expect(cache.account(marked, 13 * MINUTE)).toEqual(first);
  });

  it('reads what an earlier turn wrote although the mark has moved on', () => {
    const cache = createPromptCache();
    const turn = [{ role: 'user', content: [block(long('a'))] }];
    const first = cache.account(request({ messages: turn, ...mark }), 0);
    const longer = request({
      messages: [...turn, { role: 'assistant', content: 'b' }, { role: 'user', content: long('c') }],
      ...mark,
    });
    const second = cache.account(longer, 1);
    expect(second.read).toBe(first.write5m);
    expect(second.write5m).toBeGreaterThan(1000);
    expect(total(second)).toBe(countInput(longer.prompt));
  });

  it('keeps prefixes of an hour for an hour and bills both kinds apart', () => {
    const cache = createPromptCache();
    const both = request({
      system: [block(long('a'), hour)],
      messages: [{ role: 'user', content: [block(long('b'), mark)] }],
    });
    const first = cache.account(both, 0);
    expect(first.write1h).toBeGreaterThan(1000);
    expect(first.write5m).toBeGreaterThan(1000);
    const later = cache.account(both, 30 * MINUTE);
    expect(later).toEqual({ ...first, read: first.write1h, write1h: 0 });
    expect(total(later)).toBe(countInput(both.prompt));
  });

  it.each<readonly [string, Fields]>([
    ['another model', { model: 'claude-opus-5-5' }],
    ['other tools', { tools: [{ name: 't', input_schema: { type: 'object' } }] }],
    ['another text', { system: [block(`${long('a')}.`, mark)] }],
  ])('does not read for %s', (_name, patch) => {
    const cache = createPromptCache();
    const marked = { system: [block(long('a'), mark)] };
    cache.account(request(marked), 0);
    expect(cache.account(request({ ...marked, ...patch }), 1).read).toBe(0);
  });

  it('does not cache what is shorter than the least prefix of the model', () => {
    const text = 'x'.repeat(4 * 600);
    const split = (model: string): InputSplit =>
      createPromptCache().account(request({ model, system: [block(text, mark)] }), 0);
    expect(split('claude-sonnet-5-5').write5m).toBeGreaterThan(600);
    expect(split('claude-sonnet-4-6').write5m).toBe(0);
  });

  it('looks at no more than twenty blocks, the marked one among them', () => {
    const blocks = (count: number): readonly Fields[] =>
      Array.from({ length: count }, (_, index) => block(`${index} ${'x'.repeat(2500)}`));
    const ask = (content: readonly Fields[]) => request({ messages: [{ role: 'user', content }], ...mark });
    const read = (more: number): number => {
      const cache = createPromptCache();
      cache.account(ask(blocks(1)), 0);
      return cache.account(ask(blocks(1 + more)), 1).read;
    };
    expect(read(19)).toBeGreaterThan(0);
    expect(read(20)).toBe(0);
  });
});
