import { linesOf, nextAt } from '../grammar/markdown.ts';
import type { Requirement } from '../grammar/requirement.ts';
import { textOf } from './source.ts';

const SCENARIO = /^####\s+/u;

interface Parts {
  /** Everything between the heading and the first scenario. */
  readonly statement: string;
  readonly scenarios: readonly string[];
}

/**
 * Both sides of a requirement in one, where each left everything of the base as it was and only added scenarios: the
 * current text, then the scenarios that only `yours` has. Undefined where either side changed anything else.
 */
export const unionOf = (base: string, current: Requirement, yours: Requirement): Requirement | undefined => {
  const [before, theirs, mine] = [partsOf(base), partsOf(textOf(current)), partsOf(textOf(yours))];
  if (before === undefined || theirs === undefined || mine === undefined) return undefined;
  if (before.statement !== theirs.statement || before.statement !== mine.statement) return undefined;
  const [added, addedHere] = [additionsTo(before, theirs), additionsTo(before, mine)];
  if (added === undefined || addedHere === undefined) return undefined;
  const extra = addedHere.filter((scenario) => !added.includes(scenario));
  const titles = added.map(titleOf);
  // Two scenarios of one title and different text are a question that only a person can answer.
  if (extra.some((scenario) => titles.includes(titleOf(scenario)))) return undefined;
  const [heading = ''] = textOf(yours).split('\n');
  const [, ...rest] = textOf(current).split('\n');
  return { name: yours.name, raw: [[heading, ...rest].join('\n'), ...extra].join('\n\n') };
};

/** Undefined for a text that has other headings below its scenarios: what belongs to what is not certain there. */
const partsOf = (text: string): Parts | undefined => {
  const lines = linesOf(text.split('\n').slice(1));
  if (nextAt(lines, 0, /^#{1,3}(?:\s|$)/u) < lines.text.length) return undefined;
  const part = (from: number, to: number): string => lines.text.slice(from, to).join('\n').trim();
  const first = nextAt(lines, 0, SCENARIO);
  const scenarios: string[] = [];
  for (let at = first; at < lines.text.length;) {
    const end = nextAt(lines, at + 1, SCENARIO);
    scenarios.push(part(at, end));
    at = end;
  }
  return { statement: part(0, first), scenarios };
};

const titleOf = (scenario: string): string => scenario.split('\n')[0]?.trim() ?? '';

/** The scenarios that `side` has beyond those of the base; undefined where it lacks one, changed one or moved one. */
const additionsTo = (base: Parts, side: Parts): string[] | undefined => {
  const left = [...base.scenarios];
  const added = side.scenarios.filter((scenario) => {
    if (scenario !== left[0]) return true;
    left.shift();
    return false;
  });
  return left.length === 0 ? added : undefined;
};
