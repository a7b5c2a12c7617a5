import { codeOf, NO_USAGE } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { loadPrices, outputTokensFor, priceFor, priceOf } from './price.ts';

const table = loadPrices();
const cost = (model: string, usage: Partial<typeof NO_USAGE>): number =>
  priceOf(priceFor(table, model), { ...NO_USAGE, ...usage });

/** Dollars per million tokens, copied by hand from the provider's list of 20 November 2026: in, out, 5m, 1h, read. */
const LIST: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  'claude-fable-5-2': [8, 40, 10, 16, 0.2],
  'claude-mythos-5-2': [8, 40, 10, 16, 0.2],
  'claude-fable-5-1': [10, 50, 12.5, 20, 0.25],
  'claude-fable-5': [10, 50, 12.5, 20, 1],
  'claude-opus-5-5': [4, 20, 5, 8, 0.2],
  'claude-opus-5': [5, 25, 6.25, 10, 0.5],
  'claude-opus-4-8': [5, 25, 6.25, 10, 0.5],
  'claude-opus-4-7': [5, 25, 6.25, 10, 0.5],
  'claude-opus-4-6': [5, 25, 6.25, 10, 0.5],
  'claude-opus-4-5': [5, 25, 6.25, 10, 0.5],
  'claude-sonnet-5-5': [2, 10, 2.5, 4, 0.1],
  'claude-sonnet-5': [2, 10, 2.5, 4, 0.2],
  'claude-sonnet-4-6': [3, 15, 3.75, 6, 0.3],
  'claude-sonnet-4-5': [3, 15, 3.75, 6, 0.3],
  'claude-haiku-5-5': [0.1, 0.5, 0.125, 0.2, 0.01],
  'claude-haiku-4-5': [1, 5, 1.25, 2, 0.1],
};

describe('[X1.prices X1.integer] prices', () => {
  it.each(Object.entries(LIST))(
    '%s costs what the list says, class by class',
    (model, [input, output, w5m, w1h, read]) => {
      // A million tokens of a class cost its price in dollars; ten thousand stay below every band.
      const ten = (usd: number): number => Math.round(usd * 10_000_000);
      expect(cost(model, { inputTokens: 10_000 })).toBe(ten(input));
      expect(cost(model, { outputTokens: 10_000 })).toBe(ten(output));
      expect(cost(model, { cacheWrite5mTokens: 10_000 })).toBe(ten(w5m));
      expect(cost(model, { cacheWrite1hTokens: 10_000 })).toBe(ten(w1h));
      expect(cost(model, { cacheReadTokens: 10_000 })).toBe(ten(read));
    },
  );

  it('has no model that the list does not have', () => {
    expect(new Set([...table.models.values()].flat().map(({ model }) => model))).toEqual(new Set(Object.keys(LIST)));
  });

  it('adds the classes of one realistic call to the nano-dollar', () => {
    const usage = {
      inputTokens: 25,
      cacheWrite5mTokens: 60,
      cacheWrite1hTokens: 40,
      cacheReadTokens: 2000,
      outputTokens: 4,
    };
    expect(cost('claude-opus-5-5', usage)).toBe(1_200_000);
    expect(cost('claude-sonnet-5-5', { inputTokens: 1000, outputTokens: 120 })).toBe(3_200_000);
  });

  it('prices a whole haiku call by the length of its prompt, cache included', () => {
    expect(cost('claude-haiku-5-5', { inputTokens: 100_000, outputTokens: 1000 })).toBe(10_500_000);
    expect(cost('claude-haiku-5-5', { inputTokens: 100_001, outputTokens: 1000 })).toBe(52_500_500);
    expect(cost('claude-haiku-5-5', { inputTokens: 1, cacheReadTokens: 99_999 })).toBe(1_000_090);
    expect(cost('claude-haiku-5-5', { inputTokens: 1, cacheReadTokens: 100_000 })).toBe(5_000_500);
    expect(cost('claude-haiku-5-5', { inputTokens: 1, cacheWrite5mTokens: 50_000, cacheWrite1hTokens: 50_000 })).toBe(
      81_250_500,
    );
  });

  it('rounds a fraction of a nano-dollar up, once a call', () => {
    const rates = { input: 1, output: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    const price = { ...priceFor(table, 'claude-haiku-5-5'), base: rates, above: null };
    expect(priceOf(price, { ...NO_USAGE, inputTokens: 1, outputTokens: 1 })).toBe(1);
    expect(priceOf(price, { ...NO_USAGE, inputTokens: 600, outputTokens: 600 })).toBe(2);
    expect(priceOf(price, { ...NO_USAGE, inputTokens: 1000 })).toBe(1);
    expect(priceOf(price, { ...NO_USAGE, inputTokens: 8_999_999_999_999_001 })).toBe(9_000_000_000_000);
  });

  it('says how much output an amount pays beside the input', () => {
    const sonnet = priceFor(table, 'claude-sonnet-5-5');
    expect(outputTokensFor({ price: sonnet, inputTokens: 1000 }, 2_000_000 + 512 * 10_000)).toBe(512);
    expect(outputTokensFor({ price: sonnet, inputTokens: 1000 }, 2_000_000 + 512 * 10_000 - 1)).toBe(511);
    expect(outputTokensFor({ price: sonnet, inputTokens: 1000 }, 1_000_000)).toBe(-100);
  });
});

describe('[X1.unpriced] which models have a price', () => {
  const refusal = (model: string, today?: string): { code: string | undefined; hint: unknown } => {
    try {
      priceFor(table, model, today);
    } catch (error) {
      return { code: codeOf(error), hint: error instanceof Error && 'hint' in error ? error.hint : '' };
    }
    throw new Error(`${model} has a price`);
  };

  it('knows a model by its dated id too', () => {
    expect(priceFor(table, 'claude-haiku-4-5-20251001')).toBe(priceFor(table, 'claude-haiku-4-5'));
    expect(priceFor(table, 'claude-opus-4-5-20251101').id).toBe('claude-opus-4-5@2026-11-20');
  });

  it.each([
    ['claude-3-5-sonnet-20241022', 'claude-sonnet-5-5'],
    ['claude-3-5-sonnet-latest', 'claude-sonnet-5-5'],
    ['claude-3-opus-20240229', 'claude-opus-5-5'],
    ['claude-opus-4', 'claude-opus-5-5'],
    ['claude-opus-4-1', 'claude-opus-5-5'],
    ['claude-3-haiku-20240307', 'claude-haiku-5-5'],
  ])('refuses the retired %s and names %s', (model, successor) => {
    const { code, hint } = refusal(model);
    expect(code).toBe('MODEL_RETIRED');
    expect(hint).toContain(successor);
  });

  it('refuses a model from the day on which it is retired', () => {
    expect(priceFor(table, 'claude-sonnet-4-5', '2026-11-29').model).toBe('claude-sonnet-4-5');
    expect(refusal('claude-sonnet-4-5', '2026-11-30').code).toBe('MODEL_RETIRED');
    expect(refusal('claude-sonnet-4-5-20250929', '2026-12-24').code).toBe('MODEL_RETIRED');
  });

  it('refuses a model that it does not know, and names those that it does', () => {
    const { code, hint } = refusal('gpt-9');
    expect(code).toBe('PRICE_UNKNOWN');
    expect(hint).toContain('claude-sonnet-5-5');
    expect(refusal('constructor').code).toBe('PRICE_UNKNOWN');
  });
});
