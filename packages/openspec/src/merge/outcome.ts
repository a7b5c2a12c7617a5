import { specProblems } from '../grammar/spec.ts';
import { leftoversOf } from './leftovers.ts';
import type { Merge } from './model.ts';

/**
 * What becomes of a rebuilt specification: written (where it changed), deleted with its last requirement, or refused
 * with the problems of its text.
 */
export type Outcome =
  | { readonly kind: 'write' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'retire' }
  | { readonly kind: 'refuse'; readonly problems: readonly string[]; readonly hint?: string };

export const NO_REQUIREMENT = 'Spec must have at least one requirement';
/** Lines named in a hint before the rest is counted. */
const LISTED = 3;

/** `mayRetire`: the change says `retire_capabilities: true` in a `.openspec.yaml` that OpenSpec would honour. */
export const outcomeOf = (
  { capability, base }: { readonly capability: string; readonly base: string | undefined },
  merge: Merge,
  mayRetire: boolean,
): Outcome => {
  // Also where nothing changes: OpenSpec judges every specification that a change names.
  const problems = specProblems(merge.text);
  if (problems.length === 0) return { kind: merge.changed ? 'write' : 'keep' };
  const isEmptied = merge.isEmpty && problems.every((problem) => problem === NO_REQUIREMENT);
  if (!isEmptied) return { kind: 'refuse', problems };
  const leftovers = leftoversOf(base ?? merge.text);
  if (leftovers.length > 0) {
    return {
      kind: 'refuse',
      problems,
      ...(mayRetire ? { hint: leftoverHint(capability, leftovers) } : {}),
    };
  }
  if (base === undefined) return mayRetire ? { kind: 'keep' } : { kind: 'refuse', problems };
  if (merge.removed.length === 0) return { kind: 'refuse', problems };
  if (mayRetire) return { kind: 'retire' };
  const hint = `This change removes the last requirement of ${capability}. To delete its specification, add "retire_capabilities: true" to the .openspec.yaml of the change, which needs a "schema:" too`;
  return { kind: 'refuse', problems, hint };
};

const leftoverHint = (capability: string, lines: readonly string[]): string => {
  const rest = lines.length > LISTED ? ` and ${lines.length - LISTED} more line(s)` : '';
  const named = lines
    .slice(0, LISTED)
    .map((line) => `"${line.slice(0, 200)}"`)
    .join(', ');
  return `Deleting the specification of ${capability} would take text along that is no requirement: ${named}${rest}. Move it elsewhere, or delete the file by hand`;
};
