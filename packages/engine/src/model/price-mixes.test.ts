import { parseUsd, type Usage } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { MIXES } from './price-mixes.fake.ts';
import { boundOf, loadPrices, priceFor, priceOf, promptTokens } from './price.ts';

const table = loadPrices();

const usageOf = ([, input, output, write5m, write1h, read, traits, searches]: (typeof MIXES)[number]): Usage => ({
  inputTokens: input,
  outputTokens: output,
  cacheWrite5mTokens: write5m,
  cacheWrite1hTokens: write1h,
  cacheReadTokens: read,
  ...(traits.length === 0 ? {} : { traits: [...traits] }),
  ...(searches === 0 ? {} : { webSearchRequests: searches }),
});

describe('[E17.cost X1.prices X1.integer] amounts written down from the list', () => {
  it('are many', () => {
    expect(MIXES.length).toBeGreaterThanOrEqual(60);
  });

  it.each(MIXES)('%s: %i in, %i out, %i and %i written, %i read, %j, %i searches cost $%s', (...mix) => {
    expect(priceOf(priceFor(table, mix[0]), usageOf(mix))).toBe(parseUsd(mix[8]));
  });

  it.each(MIXES)('[X1.bound] %s: %i in, %i out, %i and %i written, %i read, %j, %i searches is bounded', (...mix) => {
    const usage = usageOf(mix);
    const terms = {
      price: priceFor(table, mix[0]),
      inputTokens: promptTokens(usage),
      cacheWrites: '1h',
      traits: usage.traits,
      webSearches: usage.webSearchRequests,
    } as const;
    expect(boundOf(terms, usage.outputTokens)).toBeGreaterThanOrEqual(parseUsd(mix[8]) ?? Number.NaN);
  });
});

describe('[X1.prices] the rows of a table', () => {
  it('hold between their dates, and the older ones are kept, so that what was booked can be computed again', () => {
    const own = loadPrices({
      asOf: '2027-01-10',
      models: { 'claude-sonnet-5-5': { in: 1, out: 5, from: '2027-01-01', maxOut: null } },
    });
    expect(priceFor(own, 'claude-sonnet-5-5', '2026-12-31').id).toBe('claude-sonnet-5-5@2026-10-07');
    const later = priceFor(own, 'claude-sonnet-5-5', '2027-01-01');
    expect(later).toMatchObject({ id: 'claude-sonnet-5-5@2027-01-01+own', from: '2027-01-01' });
    expect(
      priceOf(later, { ...usageOf(MIXES[0] ?? ['', 0, 0, 0, 0, 0, [], 0, '']), inputTokens: 1000, outputTokens: 0 }),
    ).toBe(1_000_000);
    // A row with an end holds up to the day before.
    const ended = loadPrices({
      asOf: '2027-01-10',
      models: { own: { in: 1, out: 1, to: '2027-02-01', maxOut: null } },
    });
    expect(priceFor(ended, 'own', '2027-01-31').priced).toBe(true);
    expect(() => priceFor(ended, 'own', '2027-02-01')).toThrow(/No price is known/u);
  });

  it('[X1.unpriced] give nothing for a model that nobody knows, unless that is allowed, and then say so', () => {
    expect(() => priceFor(table, 'my-model')).toThrow(/No price is known/u);
    const allowed = priceFor(table, 'my-model', undefined, true);
    expect(allowed).toMatchObject({ id: 'my-model@unpriced', priced: false });
    expect(boundOf({ price: allowed, inputTokens: 1000 }, 1000)).toBe(0);
  });

  it('have no price for a fast call of a model without a fast mode', () => {
    const price = priceFor(table, 'claude-haiku-5-5');
    expect(() => priceOf(price, { ...usageOf(MIXES[0] ?? ['', 0, 0, 0, 0, 0, [], 0, '']), traits: ['fast'] })).toThrow(
      /no price for fast/u,
    );
  });
});
