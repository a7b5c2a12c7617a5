import type { PriceFile } from '@cloutagent/contract';
import type { Price, PriceTable, Rates } from './price-row.ts';
import file from './prices.json' with { type: 'json' };

interface Row {
  readonly in: number;
  readonly out: number;
  readonly w5m: number;
  readonly w1h: number;
  readonly read: number;
}

/** Dollars per million tokens are micro-dollars per token, and a micro-dollar is a million pico-dollars; part of one counts whole. */
const pico = (usdPerMillion: number): number => Math.ceil(Number((usdPerMillion * 1_000_000).toFixed(3)));

const toRates = (row: Row): Rates => ({
  input: pico(row.in),
  output: pico(row.out),
  cacheRead: pico(row.read),
  cacheWrite5m: pico(row.w5m),
  cacheWrite1h: pico(row.w1h),
});

/** Fast mode names input and output; what a cache class costs is the same multiple of input as ever. */
const fastRates = (row: Row, fast: { readonly in: number; readonly out: number }): Rates => {
  const by = fast.in / row.in;
  return toRates({ in: fast.in, out: fast.out, w5m: row.w5m * by, w1h: row.w1h * by, read: row.read * by });
};

export const undated = (id: string): string => id.replace(/-(?:\d{8}|latest)$/u, '');

/** A search of the provider's own tool: $10 for a thousand. */
const WEB_SEARCH_NANO = (file.webSearchPer1000 * 1_000_000_000) / 1000;

/** Of models that only a row of the user's own names: what most models of the provider take. */
const MIN_CACHE_TOKENS = 1024;

const shipped = (): Map<string, readonly Price[]> => {
  const models = new Map<string, readonly Price[]>();
  for (const [model, row] of Object.entries(file.models)) {
    const from = 'from' in row ? row.from : null;
    const price: Price = {
      id: `${model}@${from ?? file.asOf}`,
      model,
      from,
      to: null,
      base: toRates(row),
      above: 'tier' in row ? { promptTokens: row.tier.whenPromptTokensAbove, rates: toRates(row.tier) } : null,
      fast: 'fast' in row ? fastRates(row, row.fast) : null,
      minCacheTokens: row.cacheMin,
      webSearchNano: WEB_SEARCH_NANO,
      maxOutputTokens: row.maxOut,
      retiresOn: 'retires' in row ? row.retires : null,
      priced: true,
    };
    models.set(model, [price]);
    if ('aliasOf' in row) models.set(row.aliasOf, [price]);
  }
  return models;
};

/**
 * The table that ships with the product, with the rows of `own` in place of those of the same model. A row of `own` that
 * begins later stands behind the older one, so that what was booked before can be computed again.
 */
export const loadPrices = (own?: PriceFile): PriceTable => {
  const models = shipped();
  for (const [model, row] of Object.entries(own?.models ?? {})) {
    const { from = null, to = null, maxOut, above } = row;
    // Nothing is cheaper than plain input without somebody saying so.
    const price: Price = {
      id: `${model}@${from ?? own?.asOf ?? ''}+own`,
      model,
      from,
      to,
      base: toRates({
        in: row.in,
        out: row.out,
        w5m: row.w5m ?? row.in,
        w1h: row.w1h ?? row.in,
        read: row.read ?? row.in,
      }),
      above: above === undefined ? null : { promptTokens: above.promptTokens, rates: toRates(above) },
      fast: null,
      minCacheTokens: models.get(model)?.[0]?.minCacheTokens ?? MIN_CACHE_TOKENS,
      webSearchNano: WEB_SEARCH_NANO,
      maxOutputTokens: maxOut,
      retiresOn: null,
      priced: true,
    };
    models.set(model, [price, ...(models.get(model) ?? []).filter(() => from !== null)]);
  }
  const retired = new Map<string, string>();
  for (const [id, since] of Object.entries(file.retired)) {
    retired.set(id, since);
    retired.set(undated(id), since);
  }
  return { asOf: own?.asOf ?? file.asOf, models, retired };
};
