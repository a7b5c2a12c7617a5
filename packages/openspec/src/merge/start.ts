import { carriedPurpose, deltaPurpose, MIN_PURPOSE_LENGTH, skeleton } from '../grammar/purpose.ts';
import { orphanPlace } from '../rules/delta-rules.ts';
import type { MergeInput } from './model.ts';

/** The text that a merge starts from, a skeleton for a new capability, and what its author should know. */
export const startingText = (input: MergeInput): { text: string; warnings: string[] } => {
  const { capability, slug, delta, base } = input;
  const warnings = delta.orphans.map(
    (orphan) =>
      `${capability} - requirement "${orphan.text}" (line ${orphan.line}) is ${orphanPlace(orphan)}, which is not a delta section, so it was not applied. Move it under ADDED/MODIFIED/REMOVED/RENAMED Requirements.`,
  );
  const purpose = deltaPurpose(input.deltaText);
  if (base !== undefined) {
    const current = purpose === undefined ? undefined : deltaPurpose(base);
    if (current !== undefined && current !== purpose) {
      warnings.push(
        `${capability} - delta Purpose ignored; ${capability} already has one. Edit openspec/specs/${capability}/spec.md directly to change it.`,
      );
    }
    return { text: base, warnings };
  }
  if (delta.removed.length > 0) {
    warnings.push(
      `${capability} - ${delta.removed.length} REMOVED requirement(s) ignored for new spec (nothing to remove).`,
    );
  }
  const text = skeleton(capability, slug, purpose);
  const carried = purpose === undefined ? undefined : carriedPurpose(text);
  if (purpose !== undefined && carried === undefined) {
    warnings.push(
      `${capability} - delta Purpose ignored (it would leave the new spec unreadable); wrote the placeholder Purpose instead.`,
    );
    return { text: skeleton(capability, slug), warnings };
  }
  if (carried !== undefined && carried.length < MIN_PURPOSE_LENGTH) {
    warnings.push(
      `${capability} - carried Purpose is under ${MIN_PURPOSE_LENGTH} characters; openspec validate --strict reports it as too brief.`,
    );
  }
  return { text, warnings };
};
