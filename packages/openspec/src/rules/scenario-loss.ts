import { bodyOf, scenariosOf, type Requirement } from '../grammar/requirement.ts';

/** At most this many names of new scenarios are listed before the rest is counted. */
const LISTED = 3;

/** The sentence about scenarios that `incoming` would drop from `current`; undefined where it keeps them all. */
export const scenarioLoss = (current: Requirement, incoming: Requirement): string | undefined => {
  const before = scenariosOf(bodyOf(current)).map(({ name }) => name);
  const after = scenariosOf(bodyOf(incoming)).map(({ name }) => name);
  const missing = without(before, after);
  if (missing.length === 0) return undefined;
  const added = without(after, before);
  const scale = `The modified block has ${count(after.length)}; the current spec has ${count(before.length)}.`;
  return `${quoted(missing)}. ${scale} ${additions(added)}`;
};

/** Names of `names` that `others` lacks, counted: a name that stands twice needs two partners. */
const without = (names: readonly string[], others: readonly string[]): string[] => {
  const left = new Map<string, number>();
  for (const name of others) left.set(name, (left.get(name) ?? 0) + 1);
  return names.filter((name) => {
    const partners = left.get(name) ?? 0;
    left.set(name, partners - 1);
    return partners <= 0;
  });
};

const count = (value: number): string => `${value} ${value === 1 ? 'scenario' : 'scenarios'}`;
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

const additions = (names: readonly string[]): string => {
  if (names.length === 0) return 'It adds none.';
  const rest = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return `It adds ${count(names.length)} not in the current spec: ${quoted(names.slice(0, LISTED))}${rest}.`;
};
