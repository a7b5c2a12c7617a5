import { CloutError, type Usage, type UsageTrait } from '@cloutagent/contract';
import type { Price, PriceTable, Rates } from './price-row.ts';
import { undated } from './price-table.ts';

export type { Price, PriceTable } from './price-row.ts';
export { loadPrices } from './price-table.ts';

const successorOf = (model: string): string =>
  /opus/u.test(model) ? 'claude-opus-5-5' : /haiku/u.test(model) ? 'claude-haiku-5-5' : 'claude-sonnet-5-5';

const holdsOn = (price: Price, today: string | undefined): boolean =>
  today === undefined || ((price.from === null || price.from <= today) && (price.to === null || today < price.to));

/**
 * Price of a model. `today` is an ISO date: the row that holds then, and a model whose announced day has come is retired.
 * With `allowUnpriced` a model that nobody knows costs nothing and says so.
 * Errors: MODEL_RETIRED, PRICE_UNKNOWN.
 */
export const priceFor = (table: PriceTable, model: string, today?: string, allowUnpriced = false): Price => {
  const price = table.models.get(model)?.find((row) => holdsOn(row, today));
  const since = price === undefined ? (table.retired.get(model) ?? table.retired.get(undated(model))) : price.retiresOn;
  if (since !== undefined && since !== null && (price === undefined || (today !== undefined && today >= since))) {
    const successor = successorOf(model);
    throw new CloutError('MODEL_RETIRED', `${model} is not served since ${since}`, {
      hint: `Use its successor: --model ${successor}`,
      details: { model, since, successor },
    });
  }
  if (price !== undefined) return price;
  if (allowUnpriced) return unpriced(model);
  throw new CloutError('PRICE_UNKNOWN', `No price is known for the model ${model}`, {
    hint: `Use one of: ${[...new Set([...table.models.values()].flat().map((known) => known.model))].join(', ')}; or write its price into prices.json of the data folder`,
    details: { model, pricesAsOf: table.asOf },
  });
};

const NOTHING: Rates = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };

const unpriced = (model: string): Price => ({
  id: `${model}@unpriced`,
  model,
  from: null,
  to: null,
  base: NOTHING,
  above: null,
  fast: null,
  minCacheTokens: 0,
  webSearchNano: 0,
  maxOutputTokens: null,
  retiresOn: null,
  priced: false,
});

/** Tokens of the whole prompt, on which the band of a price depends. */
export const promptTokens = (usage: Usage): number =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;

const NO_TRAITS: readonly UsageTrait[] = [];

/** Half the price in a batch, a tenth more for the place; a part of a pico-dollar counts whole. */
const byTraits = (rate: number, traits: readonly UsageTrait[]): number => {
  let result = rate;
  if (traits.includes('batch')) result = Math.ceil(result / 2);
  if (traits.includes('us')) result = Math.ceil((result * 11) / 10);
  return result;
};

/** Rates of a call with so large a prompt. A fast call of a model without a fast mode has none. */
const ratesFor = (price: Price, prompt: number, traits: readonly UsageTrait[] = NO_TRAITS): Rates | undefined => {
  const slow = price.above !== null && prompt > price.above.promptTokens ? price.above.rates : price.base;
  if (traits.length === 0) return slow;
  const rates = traits.includes('fast') ? price.fast : slow;
  if (rates === null) return undefined;
  return {
    input: byTraits(rates.input, traits),
    output: byTraits(rates.output, traits),
    cacheRead: byTraits(rates.cacheRead, traits),
    cacheWrite5m: byTraits(rates.cacheWrite5m, traits),
    cacheWrite1h: byTraits(rates.cacheWrite1h, traits),
  };
};

/** Exact, because every product and sum stays below 2^53 for any call under nine thousand dollars. */
const picoOf = (rates: Rates, usage: Usage): number =>
  usage.inputTokens * rates.input +
  usage.outputTokens * rates.output +
  usage.cacheReadTokens * rates.cacheRead +
  usage.cacheWrite5mTokens * rates.cacheWrite5m +
  usage.cacheWrite1hTokens * rates.cacheWrite1h;

/** Nano-dollars of an amount in pico-dollars, rounded up. Not Math.ceil(total / 1000): a large quotient may round to the integer below. */
const toNano = (pico: number): number => {
  const rest = pico % 1000;
  return (pico - rest) / 1000 + (rest > 0 ? 1 : 0);
};

/** Cost of one call in nano-dollars, rounded up once; undefined where the table has no price for such a call. */
export const knownPriceOf = (price: Price, usage: Usage): number | undefined => {
  const rates = ratesFor(price, promptTokens(usage), usage.traits);
  if (rates === undefined) return undefined;
  return toNano(picoOf(rates, usage)) + (usage.webSearchRequests ?? 0) * price.webSearchNano;
};

/** The same for a call whose kind is our own choice. Throws PRICE_UNKNOWN. */
export const priceOf = (price: Price, usage: Usage): number => {
  const cost = knownPriceOf(price, usage);
  if (cost !== undefined) return cost;
  throw new CloutError('PRICE_UNKNOWN', `${price.model} has no price for ${usage.traits?.join(' and ') ?? ''} calls`);
};

/** What the bound of a call is made of. */
export interface BoundTerms {
  readonly price: Price;
  /** Upper bound of the prompt. */
  readonly inputTokens: number;
  /** Lifetime of the cache entries that the request asks to write; absent: it asks for none. */
  readonly cacheWrites?: '5m' | '1h' | undefined;
  readonly traits?: readonly UsageTrait[] | undefined;
  /** Most searches of the provider's own tool. */
  readonly webSearches?: number | undefined;
  /** More than 1000 once a call of this model cost more than its bound: thousandths of it to reserve. */
  readonly marginPermille?: number | undefined;
}

/** Rates that no token of such a call can exceed: of the band that the bound reaches, and each input token as the dearest class. */
const boundRates = (terms: BoundTerms): { readonly input: number; readonly output: number } => {
  const rates = ratesFor(terms.price, terms.inputTokens, terms.traits);
  if (rates === undefined)
    throw new CloutError('PRICE_UNKNOWN', `${terms.price.model} has no price for ${terms.traits?.join(' and ')} calls`);
  const write = { '5m': rates.cacheWrite5m, '1h': rates.cacheWrite1h };
  // Reading is never dearer than plain input in the provider's list, but a row of the user's own may say otherwise.
  const input =
    terms.cacheWrites === undefined
      ? rates.input
      : Math.max(rates.input, rates.cacheRead, write['5m'], write[terms.cacheWrites]);
  return { input, output: rates.output };
};

const withMargin = (nanoUsd: number, permille = 1000): number =>
  permille <= 1000 ? nanoUsd : Math.ceil((nanoUsd / 1000) * permille);

/** Most that a call can cost with so many tokens of output, in nano-dollars. */
export const boundOf = (terms: BoundTerms, outputTokens: number): number => {
  const { input, output } = boundRates(terms);
  const tokens = toNano(terms.inputTokens * input + outputTokens * output);
  return withMargin(tokens + (terms.webSearches ?? 0) * terms.price.webSearchNano, terms.marginPermille);
};

/** A thousandfold of it is still exact, and no call costs as much. */
const MOST_NANO = 9_000_000_000_000;

/** Most tokens of output that `nanoUsd` pays beside the input; negative where the input alone costs more, or all where output is free. */
export const outputTokensFor = (terms: BoundTerms, nanoUsd: number): number => {
  const { input, output } = boundRates(terms);
  const paid =
    Math.floor((Math.min(nanoUsd, MOST_NANO) / (terms.marginPermille ?? 1000)) * 1000) -
    (terms.webSearches ?? 0) * terms.price.webSearchNano;
  const rest = paid * 1000 - terms.inputTokens * input;
  return output === 0 ? (rest < 0 ? -1 : Number.MAX_SAFE_INTEGER) : Math.floor(rest / output);
};
