import { codeOf, type Budget } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openConversation, toPrefix, withAnswer, withUser } from '../agent/conversation.ts';
import { inputBound } from '../model/bound.ts';
import { loadPrices, priceFor } from '../model/price.ts';
import { callBound, firstAllowance, fitCall } from './reserve.ts';

const table = loadPrices();
const sonnet = priceFor(table, 'claude-sonnet-5-5');
const haiku = priceFor(table, 'claude-haiku-5-5');
const budget = (scope: Budget['scope'], limitNanoUsd: number | null, spentNanoUsd = 0, heldNanoUsd = 0): Budget => ({
  scope,
  id: scope,
  limitNanoUsd,
  spentNanoUsd,
  heldNanoUsd,
});

describe('[X1.reserve] the bound of a call', () => {
  it('is its input and all of max_tokens at the prices of the list', () => {
    const call = { price: sonnet, inputTokens: 1000, outputTokens: 1024, exact: false };
    expect(callBound(call)).toBe(2_000_000 + 10_240_000);
  });

  it('takes the upper band as soon as the bound crosses it', () => {
    const call = { price: haiku, outputTokens: 1000, exact: false };
    expect(callBound({ ...call, inputTokens: 100_000 })).toBe(10_000_000 + 500_000);
    expect(callBound({ ...call, inputTokens: 100_001 })).toBe(50_000_500 + 2_500_000);
  });
});

describe('[X1.reserve] the bound of the input', () => {
  const prefix = toPrefix('m', 'System', [{ name: 'a', description: 'ä', input_schema: {} }]);
  const usage = {
    inputTokens: 100,
    cacheReadTokens: 20,
    cacheWrite5mTokens: 3,
    cacheWrite1hTokens: 4,
    outputTokens: 50,
  };

  it('is the bytes of everything and the own instructions of the server, while nothing is known', () => {
    const bytes = Buffer.byteLength('{"system":"System","tools":[{"name":"a","description":"ä","input_schema":{}}]}');
    const message = Buffer.byteLength('{"role":"user","content":"Grüße"}');
    const conversation = withUser(openConversation(prefix), 'Grüße');
    expect(inputBound(conversation, undefined)).toBe(bytes + message + 1024);
  });

  it('is what an earlier call with the same beginning read, and the bytes of the messages', () => {
    const conversation = withUser(openConversation(prefix), 'Hi');
    const message = Buffer.byteLength('{"role":"user","content":"Hi"}');
    expect(inputBound(conversation, 40)).toBe(40 + message + 64);
    // A figure that is worse than counting bytes is of no use.
    expect(inputBound(conversation, 1_000_000)).toBe(inputBound(conversation, undefined));
  });

  it('is exact up to the last answer, cache and output included, and bytes from there', () => {
    const asked = withUser(openConversation(prefix), 'Hi');
    const answered = withAnswer(asked, {
      content: [{ type: 'text', text: 'Yes' }],
      stopReason: 'end_turn',
      usage,
      requestId: null,
    });
    const next = withUser(withUser(answered, 'One'), 'Two');
    const fresh = 2 * Buffer.byteLength('{"role":"user","content":"One"}');
    expect(inputBound(next, 5)).toBe(177 + fresh + 64);
  });
});

describe('[X1.clamp] a call that does not fit', () => {
  const call = { price: sonnet, inputTokens: 1000, outputTokens: 4096, exact: false };
  const input = 2_000_000;

  it('fits as it is while there is room, to the nano-dollar', () => {
    const amountNanoUsd = input + 40_960_000;
    expect(fitCall(call, [budget('run', amountNanoUsd)])).toEqual({ maxTokens: 4096, amountNanoUsd });
    expect(fitCall(call, [budget('run', null)])).toEqual({ maxTokens: 4096, amountNanoUsd });
    expect(fitCall(call, [budget('run', amountNanoUsd - 1)])).toEqual({
      maxTokens: 4095,
      amountNanoUsd: input + 40_950_000,
    });
  });

  it('gets a shorter answer, down to 512 tokens, by the tightest budget', () => {
    const project = budget('project', 20_000_000, 5_000_000, input + 2_880_000);
    expect(fitCall(call, [project, budget('run', 1e9)])).toEqual({ maxTokens: 812, amountNanoUsd: 10_120_000 });
    expect(fitCall(call, [budget('run', input + 5_120_000)]).maxTokens).toBe(512);
  });

  const refusal = (...args: Parameters<typeof fitCall>): unknown => {
    try {
      return fitCall(...args);
    } catch (error) {
      return error;
    }
  };

  it('[X1.pause BUDGET_EXHAUSTED] is refused below, with the budget, the amount it needs and the limit that would do', () => {
    const run = budget('run', 10_000_000, 2_000_000, 1_000_000);
    const error = refusal(call, [budget('project', 1e12), run]);
    expect(codeOf(error)).toBe('BUDGET_EXHAUSTED');
    expect(error).toMatchObject({
      details: {
        scope: 'run',
        limitNanoUsd: 10_000_000,
        spentNanoUsd: 2_000_000,
        heldNanoUsd: 1_000_000,
        neededNanoUsd: 42_960_000,
      },
      message: "The next call may cost $0.0430, and $0.0070 is left of the run's budget of $0.0100",
    });
    expect((error as { hint: string }).hint).toContain('$0.0460');
    // What the hint names is enough.
    expect(fitCall(call, [{ ...run, limitNanoUsd: 46_000_000 }]).maxTokens).toBe(4096);
  });

  it('is refused rather than cut where it was cut at less before', () => {
    expect(codeOf(refusal({ ...call, exact: true }, [budget('run', input + 40_950_000)]))).toBe('BUDGET_EXHAUSTED');
  });
});

describe('[X1.clamp] the first allowance', () => {
  it.each([
    [null, 8192, 8192],
    [500_000_000, 8192, 2500],
    [10_000_000, 8192, 1024],
    [10_000_000, 600, 600],
    [1e12, 8192, 8192],
  ])('of a limit of %s and at most %i is %i', (limit, most, expected) => {
    expect(firstAllowance(sonnet, [budget('project', 1), budget('run', limit)], most)).toBe(expected);
  });
});
