import type { Overlap } from '@cloutagent/contract';
import type { Delta } from './grammar/delta.ts';
import { foldName } from './grammar/requirement.ts';

type Named = Overlap['changes'][number];
type Operation = Named['operation'];

/** A requirement that a change names; a rename names two. */
export interface Touch {
  readonly capability: string;
  readonly requirement: string;
  readonly operation: Operation;
}

export const touchesOf = (capability: string, delta: Delta): Touch[] => {
  const touches: Touch[] = [];
  const touch = (operation: Operation, requirement: string): void => {
    touches.push({ capability, requirement, operation });
  };
  for (const { from, to } of delta.renamed) {
    touch('RENAMED', from);
    touch('RENAMED', to);
  }
  for (const name of delta.removed) touch('REMOVED', name);
  for (const { name } of delta.modified) touch('MODIFIED', name);
  for (const { name } of delta.added) touch('ADDED', name);
  return touches;
};

/** The same for every spelling of a name. */
export const keyOf = ({ capability, requirement }: Touch): string => `${capability}\0${foldName(requirement)}`;

/** Requirements that several changes name, whatever their spelling, by capability and name. */
export const overlapsAmong = (
  changes: Iterable<{ readonly slug: string; readonly touches: readonly Touch[] }>,
): Overlap[] => {
  const found = new Map<string, { first: Touch; named: Map<string, Operation> }>();
  for (const { slug, touches } of changes) {
    for (const touch of touches) {
      const key = keyOf(touch);
      const entry = found.get(key) ?? { first: touch, named: new Map<string, Operation>() };
      found.set(key, entry);
      // A rename that the same change also modifies counts as a rename.
      if (!entry.named.has(slug)) entry.named.set(slug, touch.operation);
    }
  }
  return [...found.values()]
    .filter(({ named }) => named.size > 1)
    .map(({ first, named }) =>
      toOverlap(
        first,
        [...named].map(([slug, operation]) => ({ slug, operation })),
      ),
    )
    .sort((a, b) => compare(a.capability, b.capability) || compare(a.requirement, b.requirement));
};

const toOverlap = ({ capability, requirement }: Touch, named: readonly Named[]): Overlap => {
  const operations = new Set(named.map(({ operation }) => operation));
  const [only] = operations.size === 1 ? operations : [];
  return {
    capability,
    requirement,
    kind: only === undefined ? 'mixed' : KINDS[only],
    changes: [...named].sort((a, b) => compare(a.slug, b.slug)),
  };
};

const KINDS = {
  ADDED: 'both-add',
  MODIFIED: 'both-modify',
  REMOVED: 'both-remove',
  RENAMED: 'mixed',
} as const satisfies Record<Operation, Overlap['kind']>;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
