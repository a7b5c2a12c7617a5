import { isEmptyDelta, type Delta } from '../grammar/delta.ts';
import { withLineBreaksOf } from '../grammar/markdown.ts';
import { parseSpec, structureProblems } from '../grammar/spec.ts';
import { contradictionsOf } from '../rules/contradictions.ts';
import { compose } from './compose.ts';
import type { Merge, MergeInput, Refusal } from './model.ts';
import { applyDelta } from './steps.ts';
import { startingText } from './start.ts';

/** The last merge of each delta that is still in use: what a validation tried, an archive that follows carries out. */
const merges = new WeakMap<Delta, { readonly input: MergeInput; readonly merged: Merge | Refusal }>();

/** Characters. Deltas in use are counted in tens, so what they were merged into must not be large too. */
const MAX_BASE = 256 * 1024;

/** Applies a delta in OpenSpec's order: RENAMED, REMOVED, MODIFIED, ADDED. Pure: nothing is read or written. */
export const mergeDelta = (input: MergeInput): Merge | Refusal => {
  const before = merges.get(input.delta);
  if (before !== undefined && isSame(before.input, input)) return before.merged;
  const merged = applied(input);
  if ((input.base?.length ?? 0) <= MAX_BASE) merges.set(input.delta, { input, merged });
  return merged;
};

const isSame = (a: MergeInput, b: MergeInput): boolean =>
  a.capability === b.capability && a.slug === b.slug && a.base === b.base && a.deltaText === b.deltaText;

const applied = (input: MergeInput): Merge | Refusal => {
  const { capability, delta, base } = input;
  const [contradiction] = contradictionsOf(delta);
  if (contradiction !== undefined) return { refused: `${capability} validation failed - ${contradiction.message}` };
  if (isEmptyDelta(delta)) {
    return {
      refused: `Delta parsing found no operations for ${capability}. Provide ADDED/MODIFIED/REMOVED/RENAMED sections in change spec.`,
    };
  }
  if (base === undefined && delta.modified.length + delta.renamed.length > 0) {
    return {
      refused: `${capability}: target spec does not exist; only ADDED requirements are allowed for new specs. MODIFIED and RENAMED operations require an existing spec.`,
    };
  }
  const start = startingText(input);
  const problems = structureProblems(start.text).map(({ line, message }) => `line ${line}: ${message}`);
  if (problems.length > 0) {
    return {
      refused: `${capability}: target spec is structurally invalid and cannot be updated until fixed:\n${problems.join('\n')}`,
    };
  }
  const parts = parseSpec(start.text);
  const steps = applyDelta(input, parts.requirements);
  if ('refused' in steps) return steps;
  const { blocks, warnings, ...done } = steps;
  return {
    text: withLineBreaksOf(compose(parts, blocks), base ?? ''),
    changed: Object.values(done).some((names) => names.length > 0),
    created: base === undefined,
    ...done,
    isEmpty: blocks.length === 0,
    warnings: [...start.warnings, ...warnings],
  };
};
