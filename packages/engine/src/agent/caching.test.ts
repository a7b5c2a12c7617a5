import type { Usage } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say, use, type ScriptedAnswer } from '../model/port.fake.ts';
import { loadPrices, priceFor } from '../model/price.ts';
import type { CacheMarks } from '../model/cache.ts';
import { openRig } from '../workflow/drive.fake.ts';
import { openConversation, toPrefix, withUser } from './conversation.ts';
import { runAgent } from './loop.ts';
import { toDefinitions } from './tool-port.ts';
import { openFakeTools, textResult, toolOf } from './tool-port.fake.ts';

const LOOK = 'mcp__filesystem__look';
/** Two turns, the first of which read so many tokens. */
const answers = (tokens: number): readonly ScriptedAnswer[] => [
  { ...use('t1', LOOK, {}), usage: { ...usage(tokens), outputTokens: 10 } },
  say('Done'),
];
const usage = (inputTokens: number): Usage => ({
  inputTokens,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
});

/** What each request of a loop marked, and what was reserved for the first. */
const marksOf = async (options: {
  readonly system: string;
  readonly cache?: CacheMarks;
  readonly tokens?: number;
  readonly caches?: boolean;
  readonly model?: string;
}) => {
  const { system, cache = 'conversation', tokens = 100, caches = true, model = 'claude-sonnet-5-5' } = options;
  const rig = await openRig({ script: (_, nth) => answers(tokens)[nth] ?? say(''), limit: 1e9, model });
  const tools = openFakeTools([toolOf('look', { readOnlyHint: true })], () => textResult('Seen'));
  const prefix = toPrefix(model, system, toDefinitions(tools.tools()));
  const conversation = withUser(openConversation(prefix), 'Go');
  const run = { prefix: 'a', conversation, maxIterations: 10, cache };
  await runAgent(await rig.drive(), { ...rig.use, port: { ...rig.model, caches } }, tools, run);
  const [first] = rig.journal.state('run_1').ledger.values();
  return {
    marks: rig.model.calls.map(({ request }) => request.cache),
    reserved: first?.reserved,
    bytes: prefix.bytes + conversation.freshBytes,
  };
};

describe('[X1.bound] marks for the prompt cache', () => {
  // 4,000 bytes are some 1,000 tokens.
  const long = 'Word. '.repeat(700);

  it('are sent where the prompt is long enough for the model, at once by its size and later by what is known', async () => {
    expect((await marksOf({ system: long, tokens: 1100 })).marks).toEqual(['conversation', 'conversation']);
    expect((await marksOf({ system: 'You work.' })).marks).toEqual([undefined, undefined]);
    expect((await marksOf({ system: 'You work.', tokens: 600 })).marks).toEqual([undefined, 'conversation']);
    // It keeps nothing below 4,096 tokens.
    expect((await marksOf({ system: long, model: 'claude-haiku-4-5' })).marks).toEqual([undefined, undefined]);
    expect((await marksOf({ system: long, cache: 'prefix' })).marks).toEqual(['prefix', 'prefix']);
    // A long conversation does not make its beginning longer.
    expect((await marksOf({ system: 'You work.', cache: 'prefix', tokens: 9000 })).marks).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('are not sent to a server without a cache', async () => {
    expect((await marksOf({ system: long, caches: false })).marks).toEqual([undefined, undefined]);
  });

  it('are paid for in the bound: every token may have to be written, and none is taken to be found', async () => {
    const most = 5000 * 10_000;
    const marked = await marksOf({ system: long });
    expect(marked.reserved).toBe((marked.bytes + 1024) * 2500 + most);
    const plain = await marksOf({ system: long, caches: false });
    expect(plain.reserved).toBe((plain.bytes + 1024) * 2000 + most);
  });

  it('[X5.replay] are no part of what a step is known by, so that runs of before they were sent go on and replay', () => {
    const tool = { name: 'look', description: 'Looks', input_schema: { type: 'object' } };
    const hash = (options?: { readonly temperature: undefined }) =>
      withUser(openConversation(toPrefix('claude-sonnet-5-5', 'You work.', [tool], options)), 'Hi').hash;
    // As they were recorded; the first by a task of a change, the second by an agent of a workflow.
    expect(hash()).toBe('b32a1bde3a917d9243c14e4d13b937bea4510c9e3ab6d616dec6f6ef989f74a5');
    expect(hash({ temperature: undefined })).toBe('27fe2fc3f66dc868f81e710e4b4745c11a935a2ed60cb17d85f9f319ebc070d7');
  });

  it("need the least size that the provider names, which a row of the user's own keeps", () => {
    const least = (model: string, table = loadPrices()) => priceFor(table, model).minCacheTokens;
    const models = ['claude-opus-5-5', 'claude-haiku-5-5', 'claude-opus-4-8', 'claude-opus-4-6', 'claude-haiku-4-5'];
    expect(models.map((model) => least(model))).toEqual([512, 512, 1024, 4096, 4096]);
    const row = { in: 1, out: 5, maxOut: null };
    const own = loadPrices({ asOf: '2026-11-20', models: { 'claude-opus-4-6': row, other: row } });
    expect([least('claude-opus-4-6', own), least('other', own)]).toEqual([4096, 1024]);
  });
});
