import type { ChangeSummary, Run } from '@cloutagent/contract';
import type { ChangesView } from '../search.ts';

/** One line of the table: a change with what its runs say. Amounts in nano-dollars. */
export interface ChangeRow {
  readonly change: ChangeSummary;
  readonly lastRun: Run | undefined;
  readonly billedNanoUsd: number;
  readonly simulatedNanoUsd: number;
  /** A person has to look: the last run waits, broke off or failed. */
  readonly attention: boolean;
  /** Every task is done and nothing runs: it can be archived. */
  readonly ready: boolean;
}

const NEEDS_ATTENTION: ReadonlySet<string> = new Set(['paused', 'interrupted', 'failed']);

/** Changes and runs (newest first) → lines of the table, in the order of the changes. */
export const toRows = (changes: readonly ChangeSummary[], runs: readonly Run[]): readonly ChangeRow[] => {
  const bySlug = new Map<string, Run[]>();
  for (const run of runs) bySlug.set(run.slug, [...(bySlug.get(run.slug) ?? []), run]);
  return changes.map((change) => {
    const own = bySlug.get(change.slug) ?? [];
    const lastRun = own[0];
    const spent = (simulated: boolean): number =>
      own.filter((run) => run.simulated === simulated).reduce((sum, run) => sum + run.money.spent.nanoUsd, 0);
    const draft = change.status === 'draft';
    return {
      change,
      lastRun,
      billedNanoUsd: spent(false),
      simulatedNanoUsd: spent(true),
      attention: draft && lastRun !== undefined && NEEDS_ATTENTION.has(lastRun.status),
      ready:
        draft && change.tasks.total > 0 && change.tasks.done === change.tasks.total && lastRun?.status !== 'running',
    };
  });
};

const inView = (row: ChangeRow, view: ChangesView): boolean => {
  switch (view) {
    case 'active':
      return row.change.status === 'draft';
    case 'attention':
      return row.attention;
    case 'ready':
      return row.ready;
    default:
      return true;
  }
};

/** Lines of a view whose title, slug or owner has every word of the search. */
export const filterRows = (rows: readonly ChangeRow[], view: ChangesView, search: string): readonly ChangeRow[] => {
  const words = search
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '');
  return rows.filter((row) => {
    const text = `${row.change.title} ${row.change.slug} ${row.change.owner ?? ''}`.toLowerCase();
    return inView(row, view) && words.every((word) => text.includes(word));
  });
};

export const countViews = (rows: readonly ChangeRow[]): Readonly<Record<ChangesView, number>> => ({
  active: filterRows(rows, 'active', '').length,
  attention: filterRows(rows, 'attention', '').length,
  ready: filterRows(rows, 'ready', '').length,
  all: rows.length,
});
