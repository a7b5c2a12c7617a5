import type { Delta, Operation } from '../grammar/delta.ts';
import { normalise } from '../grammar/markdown.ts';
import { remembered } from '../grammar/remembered.ts';
import type { Requirement } from '../grammar/requirement.ts';
import { parseSpec } from '../grammar/spec.ts';

/** A requirement of the main specification that a delta starts from, or wants to make. */
export interface Source {
  /** Its name in the main specification, also where the delta renames it. */
  readonly requirement: string;
  readonly operation: Operation;
  /** What the delta makes of it; undefined where it only removes or renames it. */
  readonly yours: Requirement | undefined;
}

/** What a delta starts from, each requirement once. A rename and a modification of one requirement are one source. */
export const sourcesOf = (delta: Delta): Source[] => {
  const sources = new Map<string, Source>();
  const add = (source: Source): void => {
    if (!sources.has(source.requirement)) sources.set(source.requirement, source);
  };
  for (const yours of delta.modified) {
    add({ requirement: originOf(delta, yours.name), operation: 'MODIFIED', yours });
  }
  for (const { from } of delta.renamed) {
    add({ requirement: originOf(delta, from), operation: 'RENAMED', yours: undefined });
  }
  for (const requirement of delta.removed) add({ requirement, operation: 'REMOVED', yours: undefined });
  for (const yours of delta.added) add({ requirement: yours.name, operation: 'ADDED', yours });
  return [...sources.values()];
};

/** Follows a chain of renames back to the first name; the names seen end a circle. */
const originOf = (delta: Delta, name: string): string => {
  if (delta.renamed.length === 0) return name;
  const before = new Map(delta.renamed.map(({ from, to }) => [to, from]));
  const seen = new Set<string>();
  let origin = name;
  for (let from = before.get(origin); from !== undefined && !seen.has(from); from = before.get(origin)) {
    seen.add(from);
    origin = from;
  }
  return origin;
};

/** Requirements of a main specification by name. */
export const blocksOf = (spec: string | undefined): ReadonlyMap<string, Requirement> =>
  spec === undefined ? NO_BLOCKS : blocksIn(spec);

const NO_BLOCKS: ReadonlyMap<string, Requirement> = new Map();
const blocksIn = remembered(
  (spec): ReadonlyMap<string, Requirement> => new Map(parseSpec(spec).requirements.map((block) => [block.name, block])),
);

/**
 * The block that a source means: also where somebody carried the same rename out already, so that the text stands under
 * its new name.
 */
export const blockOf = (
  blocks: ReadonlyMap<string, Requirement>,
  { requirement, yours }: Source,
): Requirement | undefined => blocks.get(requirement) ?? (yours === undefined ? undefined : blocks.get(yours.name));

/** Text of a requirement as it is compared: line ends and what surrounds it do not count. */
export const textOf = ({ raw }: Requirement): string => normalise(raw).trim();
