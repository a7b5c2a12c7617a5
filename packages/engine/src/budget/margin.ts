import type { Journal } from '../workflow/journal.ts';

/** Reserving more than this for a call would say that nothing is known of its price. */
const MOST_PERMILLE = 10_000;

/** What was seen to exceed its bound, by source and model, for all drives over one journal. */
const margins = new WeakMap<Journal, Map<string, number>>();

/** Thousandths of its bound to reserve for a call: more than 1000 once one of this model cost more than was reserved. */
export const marginOf = (journal: Journal, source: string, model: string): number =>
  margins.get(journal)?.get(`${source} ${model}`) ?? 1000;

/** The truth is in the ledger; what follows from it is that the next bound is larger by as much. */
export const learnMargin = (
  journal: Journal,
  source: string,
  model: string,
  costNanoUsd: number,
  reservedNanoUsd: number,
): void => {
  if (costNanoUsd <= reservedNanoUsd) return;
  const before = marginOf(journal, source, model);
  const seen = Math.ceil((costNanoUsd / Math.max(1, reservedNanoUsd)) * before);
  const known = margins.get(journal) ?? new Map<string, number>();
  margins.set(journal, known);
  known.set(`${source} ${model}`, Math.min(MOST_PERMILLE, Math.max(before, seen)));
};
