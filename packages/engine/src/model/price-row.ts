/** Pico-dollars per token of each class: a thousandth of a nano-dollar, so that every price in the table is an integer. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
}

/** What one model costs. `base` holds up to `above.promptTokens` tokens of prompt; beyond, `above` prices the whole call. */
export interface Price {
  /** Model and first day of the row, written into the ledger so that an amount can be computed again. */
  readonly id: string;
  readonly model: string;
  /** ISO dates between which the row holds, the second excluded; null = always. */
  readonly from: string | null;
  readonly to: string | null;
  readonly base: Rates;
  readonly above: { readonly promptTokens: number; readonly rates: Rates } | null;
  /** Rates of the fast mode; null where it has none. */
  readonly fast: Rates | null;
  /** Shortest prompt in tokens that the provider caches; marks in a shorter one do nothing. */
  readonly minCacheTokens: number;
  /** Nano-dollars for one search of the provider's own tool. */
  readonly webSearchNano: number;
  /** Largest `max_tokens` that the model takes; null where unknown. */
  readonly maxOutputTokens: number | null;
  /** ISO date on which the provider stops serving it; null where none is announced. */
  readonly retiresOn: string | null;
  /** False: nobody knows a price, and the user allowed that; every amount is nothing. */
  readonly priced: boolean;
}

export interface PriceTable {
  /** ISO date of the figures. */
  readonly asOf: string;
  /** By every id under which a model is served; the rows of one model, the newest first. */
  readonly models: ReadonlyMap<string, readonly Price[]>;
  /** Ids that are no longer served, and since when. */
  readonly retired: ReadonlyMap<string, string>;
}
