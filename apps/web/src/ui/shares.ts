import { showUsd, type Money } from '@cloutagent/contract';

export interface MoneyView {
  readonly limit: Money | null;
  readonly spent: Money;
  readonly held: Money;
}

export interface Shares {
  /** Percent of the limit, 0 to 100; together never more than 100. */
  readonly spent: number;
  readonly held: number;
  readonly text: string;
}

const percent = (part: number, whole: number): number => (whole <= 0 ? 0 : (part / whole) * 100);
/** A share that exists is drawn at least this wide, so that it can be seen. */
const VISIBLE = 1.5;
const visible = (share: number): number => (share > 0 ? Math.max(share, VISIBLE) : 0);

/** Money → widths of a bar. Without a limit the bar shows spent against reserved. */
export const toShares = (money: MoneyView): Shares => {
  const { spent, held, limit } = money;
  const whole = limit === null ? spent.nanoUsd + held.nanoUsd : limit.nanoUsd;
  const spentShare = Math.min(100, visible(percent(spent.nanoUsd, whole)));
  const heldShare = Math.min(100 - spentShare, visible(percent(held.nanoUsd, whole)));
  const parts = [`${showUsd(spent.nanoUsd)} spent`];
  if (held.nanoUsd > 0) parts.push(`${showUsd(held.nanoUsd)} reserved`);
  parts.push(limit === null ? 'no limit' : `limit ${showUsd(limit.nanoUsd)}`);
  return { spent: spentShare, held: heldShare, text: parts.join(', ') };
};

/** Nano-dollars → the shortest exact decimal that a budget field accepts, such as `0.4821`. */
export const plainUsd = (nanoUsd: number): string => {
  const whole = Math.floor(nanoUsd / 1_000_000_000);
  const rest = String(nanoUsd - whole * 1_000_000_000)
    .padStart(9, '0')
    .replace(/0+$/u, '');
  return `${whole}.${rest.padEnd(2, '0')}`;
};
