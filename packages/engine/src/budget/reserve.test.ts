import { codeOf, type BudgetShortage } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openConversation, toPrefix, withAnswer, withUser } from '../agent/conversation.ts';
import { inputBound } from '../model/bound.ts';
import { boundOf, loadPrices, priceFor } from '../model/price.ts';
import { clampCall, exhausted, firstAllowance, leastOf, wholeCall } from './reserve.ts';

const table = loadPrices();
const sonnet = priceFor(table, 'claude-sonnet-5-5');
const haiku = priceFor(table, 'claude-haiku-5-5');
const terms = { price: sonnet, inputTokens: 1000 };

describe('[X1.reserve] the bound of a call', () => {
  it('is its input and all of max_tokens at the prices of the list', () => {
    expect(boundOf(terms, 1024)).toBe(2_000_000 + 10_240_000);
    expect(wholeCall({ ...terms, outputTokens: 1024, exact: false })).toEqual({
      maxTokens: 1024,
      amountNanoUsd: 12_240_000,
    });
  });

  it('takes the upper band as soon as the bound crosses it', () => {
    expect(boundOf({ price: haiku, inputTokens: 100_000 }, 1000)).toBe(10_000_000 + 500_000);
    expect(boundOf({ price: haiku, inputTokens: 100_001 }, 1000)).toBe(50_000_500 + 2_500_000);
  });

  it('prices every token of input as the dearest class that the request can make of it', () => {
    // Written for five minutes $2.50 a million, for an hour $4, beside plain $2.
    expect(boundOf({ ...terms, cacheWrites: '5m' }, 0)).toBe(2_500_000);
    expect(boundOf({ ...terms, cacheWrites: '1h' }, 0)).toBe(4_000_000);
    expect(boundOf({ price: haiku, inputTokens: 100_001, cacheWrites: '1h' }, 0)).toBe(100_001_000);
  });

  it('counts what multiplies the price, each search that is allowed, and the margin of a model that was dearer before', () => {
    expect(boundOf({ ...terms, traits: ['us'] }, 1000)).toBe(2_200_000 + 11_000_000);
    expect(boundOf({ ...terms, webSearches: 3 }, 0)).toBe(2_000_000 + 30_000_000);
    expect(boundOf({ ...terms, marginPermille: 1100 }, 0)).toBe(2_200_000);
    expect(() => boundOf({ ...terms, traits: ['fast'] }, 0)).toThrow(/no price for fast/u);
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
  const call = { ...terms, outputTokens: 4096, exact: false };
  const input = 2_000_000;

  it('gets a shorter answer, down to 512 tokens, to the nano-dollar', () => {
    expect(clampCall(call, input + 40_960_000)).toEqual({ maxTokens: 4096, amountNanoUsd: input + 40_960_000 });
    expect(clampCall(call, input + 40_959_999)).toEqual({ maxTokens: 4095, amountNanoUsd: input + 40_950_000 });
    expect(clampCall(call, input + 8_120_000)).toEqual({ maxTokens: 812, amountNanoUsd: 10_120_000 });
    expect(clampCall(call, input + 5_120_000)?.maxTokens).toBe(512);
    expect(clampCall(call, input + 5_119_999)).toBeUndefined();
    expect(clampCall({ ...call, outputTokens: 100 }, input + 1_000_000)?.maxTokens).toBe(100);
    expect(leastOf(call)).toBe(input + 5_120_000);
    expect(leastOf({ ...call, outputTokens: 100 })).toBe(input + 1_000_000);
  });

  it('is refused rather than cut where it was cut at less before', () => {
    expect(clampCall({ ...call, exact: true }, input + 40_950_000)).toBeUndefined();
    expect(leastOf({ ...call, exact: true })).toBe(input + 40_960_000);
  });
});

describe('[X1.pause BUDGET_EXHAUSTED] what a run is told that waits for money', () => {
  const shortage: BudgetShortage = {
    scope: 'run',
    id: 'run_1',
    period: 'lifetime',
    slot: '',
    limitNanoUsd: 10_000_000,
    spentNanoUsd: 2_000_000,
    heldNanoUsd: 1_000_000,
    neededNanoUsd: 12_000_000,
  };

  it('is the budget, the amount that it needs and the limit that would do', () => {
    const error = exhausted(shortage, 42_960_000);
    expect(codeOf(error)).toBe('BUDGET_EXHAUSTED');
    expect(error.details).toEqual({ ...shortage, neededNanoUsd: 42_960_000 });
    expect(error.message).toBe("The next call may cost $0.0430, and $0.0070 is left of the run's budget of $0.0100");
    // What it names is enough.
    expect(error.hint).toContain('at least $0.0460');
  });

  it.each([
    [{ scope: 'project', id: 'default', period: 'day' }, 'today', 'clout cost limit --daily USD'],
    [{ scope: 'change', id: 'default/add-x', period: 'week' }, 'this week', '--weekly USD --change add-x'],
    [{ scope: 'user', id: 'ann:simulated', period: 'month' }, 'this month', '--monthly USD --user ann --simulate'],
    [{ scope: 'global', id: 'all', period: 'lifetime' }, '', '--lifetime USD --global'],
    [{ scope: 'task', id: 'run_1/task[2]', period: 'lifetime' }, '', '--node task[2]'],
  ] as const)('names the command that raises the budget of %o', (over, when, command) => {
    const error = exhausted({ ...shortage, ...over }, 1);
    expect(error.message).toContain(when);
    expect(error.hint).toContain(command);
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
    expect(firstAllowance(sonnet, limit, most)).toBe(expected);
  });
});
