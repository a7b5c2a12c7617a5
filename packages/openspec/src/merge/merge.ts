import { isEmptyDelta } from '../grammar/delta.ts';
import { withLineBreaksOf } from '../grammar/markdown.ts';
import { parseSpec, structureProblems } from '../grammar/spec.ts';
import { contradictionsOf } from '../rules/contradictions.ts';
import { compose } from './compose.ts';
import type { Merge, MergeInput, Refusal } from './model.ts';
import { applyDelta } from './steps.ts';
import { startingText } from './start.ts';

/** Applies a delta in OpenSpec's order: RENAMED, REMOVED, MODIFIED, ADDED. Pure: nothing is read or written. */
export const mergeDelta = (input: MergeInput): Merge | Refusal => {
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
  const applied = applyDelta(input, parts.requirements);
  if ('refused' in applied) return applied;
  const { blocks, warnings, ...done } = applied;
  return {
    text: withLineBreaksOf(compose(parts, blocks), base ?? ''),
    changed: Object.values(done).some((names) => names.length > 0),
    created: base === undefined,
    ...done,
    isEmpty: blocks.length === 0,
    warnings: [...start.warnings, ...warnings],
  };
};
