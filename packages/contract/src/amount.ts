// Apart from the schemas, so that who only reckons loads none of them.

const NANO = 1_000_000_000;

/** Nano-dollars → the JSON form. */
export const toMoney = (nanoUsd: number): { usd: string; nanoUsd: number } => ({ usd: formatUsd(nanoUsd), nanoUsd });

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
export const USD = /^\$?(\d{1,6})(?:\.(\d{1,9}))?$/u;

/** Decimal dollars as a person writes them (`0.50`, `$1`) → nano-dollars; undefined where it is not from 0 to below 1,000,000. */
export const parseUsd = (text: string): number | undefined => {
  const match = USD.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * NANO + Number((match[2] ?? '').padEnd(9, '0'));
};
