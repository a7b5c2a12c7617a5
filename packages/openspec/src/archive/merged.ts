import { CloutError } from '@cloutagent/contract';
import { intend, type IntendedWrite } from '../intent.ts';
import { mergeDelta } from '../merge/merge.ts';
import type { Merge } from '../merge/model.ts';
import { outcomeOf } from '../merge/outcome.ts';
import type { MetDelta } from '../met.ts';

/** A delta, what it does to its specification, and what becomes of the file. */
export type Merged = MetDelta & {
  readonly merge: Merge;
  readonly outcome: 'write' | 'keep' | 'retire';
};

/**
 * Every capability is merged in memory before any is written; one refusal refuses them all.
 * @throws CHANGE_CONFLICT, CHANGE_INVALID
 */
export const mergesOf = (slug: string, met: readonly MetDelta[], mayRetire: boolean): Merged[] =>
  met.map((one) => {
    const { capability, text, delta, base } = one;
    const merge = mergeDelta({ capability, slug, delta, deltaText: text, base });
    if ('refused' in merge) {
      throw new CloutError('CHANGE_CONFLICT', `${merge.refused}; nothing was changed`, {
        details: { slug, capability },
      });
    }
    const outcome = outcomeOf(one, merge, mayRetire);
    if (outcome.kind !== 'refuse') return { ...one, merge, outcome: outcome.kind };
    const issues = outcome.problems.map((message) => ({
      level: 'ERROR',
      code: 'SPEC_INVALID',
      path: `specs/${capability}/spec.md`,
      message,
    }));
    throw new CloutError('CHANGE_INVALID', `Rebuilt spec for '${capability}' failed validation; nothing was changed`, {
      hint: outcome.hint ?? `clout change validate ${slug} lists what is wrong and where`,
      details: { slug, capability, issues },
    });
  });

/** Specifications that are written or deleted; what is in sync already stays untouched, byte for byte. */
export const writesOf = (merged: readonly Merged[]): IntendedWrite[] =>
  merged
    .filter(({ outcome }) => outcome !== 'keep')
    .map(({ capability, base, merge, outcome }) =>
      intend(`specs/${capability}/spec.md`, base ?? null, outcome === 'retire' ? null : merge.text),
    );
