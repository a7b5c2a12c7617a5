import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openConversation, toPrefix, withUser } from '../agent/conversation.ts';
import { modelStep } from '../agent/step-model.ts';
import { say } from '../model/port.fake.ts';
import { sizeOfMessage } from '../model/size.ts';
import type { ContentBlock, ModelOptions } from '../model/port.ts';
import { openRig } from '../workflow/drive.fake.ts';
import { termsOf } from './terms.ts';

const asked = (options: ModelOptions, content: string | readonly ContentBlock[] = 'Hi') =>
  withUser(openConversation(toPrefix('claude-sonnet-5-5', 'You work.', [], options)), content);
const search = { type: 'web_search_20250305', name: 'web_search' };

describe('[X1.bound] what the options of a call say of its price', () => {
  it.each([
    [{}, false, undefined],
    [{}, true, '5m'],
    [{ cache_control: { type: 'ephemeral' } }, false, '5m'],
    [{ cache_control: { type: 'ephemeral', ttl: '1h' } }, true, '1h'],
    [{ tools: [{ name: 'x', input_schema: {}, cache_control: { type: 'ephemeral', ttl: '1h' } }] }, false, '1h'],
  ] as const)('%o, marked by us: %s, writes to the cache for %s', (fields, marked, expected) => {
    expect(termsOf(asked({ fields }), marked).cacheWrites).toBe(expected);
  });

  it('sees a mark for the cache in a message', () => {
    const block = { type: 'text', text: 'long', cache_control: { type: 'ephemeral', ttl: '1h' } };
    expect(termsOf(asked({}, [block]), true).cacheWrites).toBe('1h');
  });

  it('counts the searches that are allowed, with what they add to the prompt, and what multiplies the price', () => {
    const fields = { tools: [{ ...search, max_uses: 3 }], speed: 'fast', inference_geo: 'us' };
    expect(termsOf(asked({ fields }), false)).toMatchObject({
      webSearches: 3,
      searchTokens: 60_000,
      traits: ['fast', 'us'],
    });
  });

  it.each([
    ['searches without end', { tools: [search] }],
    ['a server tool that has no price', { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
    ['servers that the provider calls by itself', { mcp_servers: [] }],
  ])('[BOUND_UNKNOWN] refuses %s before anything is reserved or sent', async (_, fields) => {
    const rig = await openRig({ script: () => say('Hi'), limit: 1e9 });
    const step = { key: 'a', conversation: asked({ fields }), allowance: 0, cutAt: undefined };
    expect(await modelStep(await rig.drive(), rig.use, step).catch(codeOf)).toBe('BOUND_UNKNOWN');
    expect(rig.model.calls).toHaveLength(0);
    expect(rig.journal.state('run_1').ledger.size).toBe(0);
  });
});

describe('[X1.bound] pictures and documents', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'a'.repeat(1_000_000) } };
  const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } };

  it('counts a picture by what one can be at most, however small or large its file, also in the result of a tool', () => {
    const text = { role: 'user', content: [{ type: 'image' }] } as const;
    const least = Buffer.byteLength(JSON.stringify(text));
    expect(sizeOfMessage({ role: 'user', content: [image] })).toEqual({ tokens: least + 4784, unbounded: null });
    const small = { ...image, source: { type: 'url', url: 'https://example.org/a.png' } };
    expect(sizeOfMessage({ role: 'user', content: [small] }).tokens).toBe(least + 4784);
    const result = { type: 'tool_result', tool_use_id: 't', content: [image, { type: 'text', text: 'x' }] };
    const { tokens } = sizeOfMessage({ role: 'user', content: [result] });
    expect(tokens).toBeGreaterThan(4784);
    expect(tokens).toBeLessThan(5000);
  });

  it('equals the bytes of the JSON for text', () => {
    const message = {
      role: 'user',
      content: [
        { type: 'text', text: 'Grüße' },
        { type: 'text', text: '' },
      ],
    } as const;
    expect(sizeOfMessage(message).tokens).toBe(Buffer.byteLength(JSON.stringify(message)));
  });

  it('[BOUND_UNKNOWN] refuses a PDF where nobody counts it, and takes the count with a tenth more where somebody does', async () => {
    const conversation = asked({}, [pdf]);
    const step = { key: 'a', conversation, allowance: 0, cutAt: undefined };
    const rig = await openRig({ script: () => say('Hi'), limit: 1e9 });
    expect(await modelStep(await rig.drive(), rig.use, step).catch(codeOf)).toBe('BOUND_UNKNOWN');
    const counting = { ...rig.use, port: { ...rig.use.port, countTokens: async () => 5000 } };
    await modelStep(await rig.drive(), counting, step);
    const [row] = rig.journal.state('run_1').ledger.values();
    // 5,564 tokens at $2 and a twentieth of the limit, 5,000 tokens, at $10 a million.
    expect(row?.reserved).toBe(5564 * 2000 + 5000 * 10_000);
  });
});
