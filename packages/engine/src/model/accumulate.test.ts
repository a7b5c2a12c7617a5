import { describe, expect, it } from 'vitest';
import { openAccumulator } from './accumulate.ts';

const start = (usage: object): object => ({ type: 'message_start', message: { content: [], usage } });
const stop = (reason: string, usage: object): object[] => [
  { type: 'message_delta', delta: { stop_reason: reason }, usage },
  { type: 'message_stop' },
];
const block = (index: number, first: object, ...deltas: object[]): object[] => [
  { type: 'content_block_start', index, content_block: first },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];

const feed = (...events: object[]) => {
  const accumulator = openAccumulator();
  const texts = events.flatMap((event) => {
    const step = accumulator.add(event);
    return step.type === 'text' ? [step.text] : [];
  });
  return { texts, answer: accumulator.answer('req_1'), usage: accumulator.usage() };
};

describe('[E3.verbatim] the blocks of an answer', () => {
  it('are kept verbatim: text, thoughts with their signature, tool calls, and kinds that nobody knows yet', () => {
    const { answer, texts } = feed(
      start({ input_tokens: 10, output_tokens: 1 }),
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Hm' },
        { type: 'thinking_delta', thinking: '.' },
        { type: 'signature_delta', signature: 'c2ln' },
      ),
      ...block(
        1,
        { type: 'text', text: '', citations: null },
        { type: 'text_delta', text: 'I ' },
        { type: 'text_delta', text: 'look.' },
      ),
      ...block(
        2,
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} },
        { type: 'input_json_delta', partial_json: '{"pa' },
        { type: 'input_json_delta', partial_json: 'th":"ä"}' },
      ),
      ...block(3, { type: 'hologram', depth: { z: 1 } }, { type: 'hologram_delta', z: 2 }),
      { type: 'weather', sunny: true },
      ...stop('tool_use', { output_tokens: 30 }),
    );
    expect(answer).toEqual({
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
        { type: 'text', text: 'I look.', citations: null },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { path: 'ä' } },
        { type: 'hologram', depth: { z: 1 } },
      ],
      stopReason: 'tool_use',
      usage: { inputTokens: 10, outputTokens: 30, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 },
      requestId: 'req_1',
    });
    expect(texts).toEqual(['I ', 'look.']);
  });

  it('keep the empty input of a call without arguments', () => {
    const { answer } = feed(
      start({ input_tokens: 1, output_tokens: 1 }),
      ...block(0, { type: 'tool_use', id: 't', name: 'n', input: {} }),
      ...stop('tool_use', { output_tokens: 1 }),
    );
    expect(answer?.content).toEqual([{ type: 'tool_use', id: 't', name: 'n', input: {} }]);
  });

  it('mark arguments that are no JSON', () => {
    const { answer } = feed(
      start({ input_tokens: 1, output_tokens: 1 }),
      ...block(
        0,
        { type: 'tool_use', id: 't', name: 'n', input: {} },
        { type: 'input_json_delta', partial_json: '{"a":' },
      ),
      ...stop('tool_use', { output_tokens: 1 }),
    );
    expect(answer?.content[0]).toMatchObject({ input: { INVALID_JSON: '{"a":' } });
  });
});

describe('[E3.usage] the usage of an answer', () => {
  it('takes the input side from the start and the cumulative output from the end', () => {
    const { usage } = feed(
      start({
        input_tokens: 25,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 2000,
        cache_creation: { ephemeral_5m_input_tokens: 60, ephemeral_1h_input_tokens: 40 },
        output_tokens: 1,
      }),
      ...stop('end_turn', {
        input_tokens: 25,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 2000,
        output_tokens: 4,
      }),
    );
    expect(usage).toEqual({
      inputTokens: 25,
      cacheReadTokens: 2000,
      cacheWrite5mTokens: 60,
      cacheWrite1hTokens: 40,
      outputTokens: 4,
    });
  });

  it('counts writes without a split as written for five minutes, and takes null for nothing', () => {
    const { usage } = feed(
      start({ input_tokens: 5, cache_creation_input_tokens: 7, cache_read_input_tokens: null, output_tokens: 1 }),
      ...stop('end_turn', { output_tokens: 2 }),
    );
    expect(usage).toEqual({
      inputTokens: 5,
      cacheReadTokens: 0,
      cacheWrite5mTokens: 7,
      cacheWrite1hTokens: 0,
      outputTokens: 2,
    });
  });

  it('is never made up: without it there is no answer', () => {
    expect(feed(start({}), ...stop('end_turn', {})).answer).toBeUndefined();
    expect(
      feed({ type: 'message_start', message: {} }, ...stop('end_turn', { output_tokens: 3 })).answer,
    ).toBeUndefined();
  });
});

describe('[E3.stream] an answer that is not whole', () => {
  const begun = [
    start({ input_tokens: 1, output_tokens: 1 }),
    ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' }),
  ];

  it('is none before message_stop', () => {
    expect(feed(...begun).answer).toBeUndefined();
    expect(
      feed(...begun, { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }).answer,
    ).toBeUndefined();
    expect(feed(...begun, { type: 'message_stop' }).answer).toBeUndefined();
    expect(feed(...begun, ...stop('end_turn', { output_tokens: 2 })).answer?.stopReason).toBe('end_turn');
  });

  it.each([
    [null],
    ['text'],
    [{ type: 'content_block_start', index: 1e12, content_block: { type: 'text' } }],
    [{ type: 'content_block_delta', index: 9, delta: { type: 'text_delta' } }],
    [{}],
  ])('survives %j', (event) => {
    const accumulator = openAccumulator();
    for (const one of [...begun, event, ...stop('end_turn', { output_tokens: 2 })]) accumulator.add(one);
    expect(accumulator.answer(null)?.content[0]).toEqual({ type: 'text', text: 'Hi' });
  });
});
