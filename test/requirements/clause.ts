/** One promise of the product, small enough that a handful of tests can prove it. */
export interface Clause {
  readonly text: string;
  /** A closed clause must be cited by a test; an open one may be. */
  readonly status: 'open' | 'closed';
}

export const open = (text: string): Clause => ({ text, status: 'open' });
export const closed = (text: string): Clause => ({ text, status: 'closed' });
