import { codeOf, CloutError } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { priceFor, type Price, type PriceTable } from './price.ts';
import type { ProviderProfile } from './profile.ts';

/** A model that can be asked, and what somebody should know who named it otherwise. */
export interface ResolvedModel {
  readonly model: string;
  readonly price: Price;
  readonly warning: string | undefined;
}

/** Names that are no ids: short ones, and those of seed 003 that no server ever knew. */
const ALIASES: Readonly<Record<string, string>> = {
  opus: 'claude-opus-5-5',
  sonnet: 'claude-sonnet-5-5',
  haiku: 'claude-haiku-5-5',
  fable: 'claude-fable-5-2',
  'claude-opus-4': 'claude-opus-5-5',
  'claude-sonnet-4': 'claude-sonnet-5-5',
};

/** Days before its end in which a model is announced to retire. */
const NOTICE_DAYS = 60;
const DAY_MS = 86_400_000;

const NO_RATES = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };

/** Price of a model on the user's own machine. */
export const freePrice = (model: string): Price => ({
  id: `${model}@free`,
  model,
  from: null,
  to: null,
  base: NO_RATES,
  above: null,
  fast: null,
  minCacheTokens: 0,
  webSearchNano: 0,
  maxOutputTokens: null,
  retiresOn: null,
  priced: true,
});

/**
 * Finds the model that a name means. Aliases and ids that are no longer served lead to the successor, with a warning;
 * servers of the user's own take every name. `now` is milliseconds since 1970. Errors: PRICE_UNKNOWN.
 */
export const resolveModel = (
  table: PriceTable,
  wanted: string,
  now: number,
  profile: ProviderProfile,
): ResolvedModel => {
  if (profile.prices === 'free') return { model: wanted, price: freePrice(wanted), warning: undefined };
  const today = toIso(now).slice(0, 10);
  const alias = Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted] : undefined;
  if (alias !== undefined) {
    return {
      model: alias,
      price: priceFor(table, alias, today),
      warning: wanted.startsWith('claude-') ? `${wanted} is not served; ${alias} is used instead` : undefined,
    };
  }
  try {
    const price = priceFor(table, wanted, today);
    const { retiresOn } = price;
    const near = retiresOn !== null && Date.parse(retiresOn) - now < NOTICE_DAYS * DAY_MS;
    return { model: wanted, price, warning: near ? `${wanted} will not be served from ${retiresOn} on` : undefined };
  } catch (error) {
    const successor = error instanceof CloutError ? error.details?.['successor'] : undefined;
    if (codeOf(error) !== 'MODEL_RETIRED' || typeof successor !== 'string') throw error;
    return {
      model: successor,
      price: priceFor(table, successor, today),
      warning: `${wanted} is no longer served; ${successor} is used instead`,
    };
  }
};
