import type { ChangeSummary, Template } from '@cloutagent/contract';
import type { Place } from '../page-token.ts';

/** Where a change lies. */
export interface Spot {
  /** Slug; for an archived change the one of its receipt. */
  readonly name: string;
  readonly key: string;
  readonly folder: string;
  readonly status: ChangeSummary['status'];
}

/** What filters and the order need of a change. */
export interface Listed extends Spot, Place {
  readonly template: Template | undefined;
  readonly owner: string | undefined;
}

/** Where `listChanges` looks: straight at the files, or in an index that is kept true to them. */
export interface Listing {
  /**
   * `direct`: the files are read at every call. `watch`: the system tells of every edit, and each call waits until it
   * has. `sweep`: some folder cannot be watched; what a page shows is checked at every call, order and filters within
   * a second.
   */
  readonly mode: 'direct' | 'watch' | 'sweep';
  /** Newest first. */
  sorted(withArchived: boolean): Promise<readonly Listed[]>;
  /** In the same order; a change that is gone is left out. */
  summaries(listed: readonly Listed[]): Promise<ChangeSummary[]>;
}

export const newestFirst = (a: Place, b: Place): number => b.createdAt - a.createdAt || (a.key < b.key ? -1 : 1);
