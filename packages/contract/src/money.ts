import * as z from 'zod';

/**
 * Money is an integer of nano-dollars (1 USD = 1,000,000,000) everywhere but in what a person reads.
 * Safe up to 9.0 million dollars in a JavaScript number. In JSON it is both: `{usd: "0.001200000", nanoUsd: 1200000}`.
 */
export const Money = z.object({ usd: z.string(), nanoUsd: z.int() });
export interface Money extends z.infer<typeof Money> {}

const NANO = 1_000_000_000;

/** Nano-dollars → the JSON form. */
export const toMoney = (nanoUsd: number): Money => ({ usd: formatUsd(nanoUsd), nanoUsd });

/** Nano-dollars → decimal string with nine places, without rounding. */
export const formatUsd = (nanoUsd: number): string => {
  const sign = nanoUsd < 0 ? '-' : '';
  const abs = Math.abs(nanoUsd);
  const whole = Math.floor(abs / NANO);
  return `${sign}${whole}.${String(abs - whole * NANO).padStart(9, '0')}`;
};

/** Nano-dollars → short text for people, such as `$0.0123`; never shows a non-zero amount as zero. */
export const showUsd = (nanoUsd: number): string => {
  const abs = Math.abs(nanoUsd);
  const places = abs >= NANO || abs === 0 ? 2 : abs >= NANO / 10_000 ? 4 : 9;
  const text = (abs / NANO).toFixed(places);
  return `${nanoUsd < 0 ? '-' : ''}$${text}`;
};

/** Six digits before the point, so that a sum of several amounts stays a safe integer of nano-dollars too. */
const USD = /^\$?(\d{1,6})(?:\.(\d{1,9}))?$/u;

/** An amount in dollars as a person writes it, below $1,000,000; quoted in YAML, so that it keeps every digit. */
export const UsdText = z.string().regex(USD, 'must be an amount in dollars below 1000000, such as "0.50"');

/** Decimal dollars as a person writes them (`0.50`, `$1`) → nano-dollars; undefined where it is not from 0 to below 1,000,000. */
export const parseUsd = (text: string): number | undefined => {
  const match = USD.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * NANO + Number((match[2] ?? '').padEnd(9, '0'));
};
