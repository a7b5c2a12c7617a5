import { CloutError, type Usage } from '@cloutagent/contract';
import file from './prices.json' with { type: 'json' };

/** Pico-dollars per token of each class: a thousandth of a nano-dollar, so that every price in the table is an integer. */
interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
}

/** What one model costs. `base` holds up to `above.promptTokens` tokens of prompt; beyond, `above` prices the whole call. */
export interface Price {
  /** Model and date of the table, written into the ledger so that an amount can be computed again. */
  readonly id: string;
  readonly model: string;
  readonly base: Rates;
  readonly above: { readonly promptTokens: number; readonly rates: Rates } | null;
  /** Largest `max_tokens` that the model takes; null where unknown. */
  readonly maxOutputTokens: number | null;
  /** ISO date on which the provider stops serving it; null where none is announced. */
  readonly retiresOn: string | null;
}

export interface PriceTable {
  /** ISO date of the figures. */
  readonly asOf: string;
  /** By every id under which a model is served. */
  readonly models: ReadonlyMap<string, Price>;
  /** Ids that are no longer served, and since when. */
  readonly retired: ReadonlyMap<string, string>;
}

interface Row {
  readonly in: number;
  readonly out: number;
  readonly w5m: number;
  readonly w1h: number;
  readonly read: number;
}

/** Dollars per million tokens are micro-dollars per token, and a micro-dollar is a million pico-dollars. */
const pico = (usdPerMillion: number): number => Math.round(usdPerMillion * 1_000_000);

const toRates = (row: Row): Rates => ({
  input: pico(row.in),
  output: pico(row.out),
  cacheRead: pico(row.read),
  cacheWrite5m: pico(row.w5m),
  cacheWrite1h: pico(row.w1h),
});

const undated = (id: string): string => id.replace(/-(?:\d{8}|latest)$/u, '');

/** The table that ships with the product. */
export const loadPrices = (): PriceTable => {
  const models = new Map<string, Price>();
  for (const [model, row] of Object.entries(file.models)) {
    const price: Price = {
      id: `${model}@${file.asOf}`,
      model,
      base: toRates(row),
      above: 'tier' in row ? { promptTokens: row.tier.whenPromptTokensAbove, rates: toRates(row.tier) } : null,
      maxOutputTokens: row.maxOut,
      retiresOn: 'retires' in row ? row.retires : null,
    };
    models.set(model, price);
    if ('aliasOf' in row) models.set(row.aliasOf, price);
  }
  const retired = new Map<string, string>();
  for (const [id, since] of Object.entries(file.retired)) {
    retired.set(id, since);
    retired.set(undated(id), since);
  }
  return { asOf: file.asOf, models, retired };
};

const successorOf = (model: string): string =>
  /opus/u.test(model) ? 'claude-opus-5-5' : /haiku/u.test(model) ? 'claude-haiku-5-5' : 'claude-sonnet-5-5';

/**
 * Price of a model. `today` is an ISO date: a model whose announced day has come is retired.
 * Errors: MODEL_RETIRED, PRICE_UNKNOWN.
 */
export const priceFor = (table: PriceTable, model: string, today?: string): Price => {
  const price = table.models.get(model);
  const since = price === undefined ? (table.retired.get(model) ?? table.retired.get(undated(model))) : price.retiresOn;
  if (since !== undefined && since !== null && (price === undefined || (today !== undefined && today >= since))) {
    const successor = successorOf(model);
    throw new CloutError('MODEL_RETIRED', `${model} is not served since ${since}`, {
      hint: `Use its successor: --model ${successor}`,
      details: { model, since, successor },
    });
  }
  if (price === undefined) {
    throw new CloutError('PRICE_UNKNOWN', `No price is known for the model ${model}`, {
      hint: `Use one of: ${[...new Set([...table.models.values()].map((known) => known.model))].join(', ')}`,
      details: { model, pricesAsOf: table.asOf },
    });
  }
  return price;
};

/** Tokens of the whole prompt, on which the band of a price depends. */
export const promptTokens = (usage: Usage): number =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;

const ratesFor = (price: Price, prompt: number): Rates =>
  price.above !== null && prompt > price.above.promptTokens ? price.above.rates : price.base;

/** Exact, because every product and sum stays below 2^53 for any call under nine thousand dollars. */
const picoOf = (rates: Rates, usage: Usage): number =>
  usage.inputTokens * rates.input +
  usage.outputTokens * rates.output +
  usage.cacheReadTokens * rates.cacheRead +
  usage.cacheWrite5mTokens * rates.cacheWrite5m +
  usage.cacheWrite1hTokens * rates.cacheWrite1h;

/** Cost of one call in nano-dollars, rounded up once. */
export const priceOf = (price: Price, usage: Usage): number => {
  const total = picoOf(ratesFor(price, promptTokens(usage)), usage);
  const rest = total % 1000;
  // Not Math.ceil(total / 1000): the quotient of a large amount may round to the integer below.
  return (total - rest) / 1000 + (rest > 0 ? 1 : 0);
};

/** Most tokens of output that `nanoUsd` pays beside `inputTokens` of plain input; negative where the input alone costs more. */
export const outputTokensFor = (price: Price, inputTokens: number, nanoUsd: number): number => {
  const rates = ratesFor(price, inputTokens);
  return Math.floor((nanoUsd * 1000 - inputTokens * rates.input) / rates.output);
};
