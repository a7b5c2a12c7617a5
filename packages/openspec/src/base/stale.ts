import { CloutError, type StaleRequirement } from '@cloutagent/contract';
import { sha256 } from '../digest.ts';
import type { Requirement } from '../grammar/requirement.ts';
import type { MetDelta } from '../met.ts';
import type { Base } from './bases.ts';
import { digestOf, keyOf, yoursOf } from './see.ts';
import { blockOf, blocksOf, sourcesOf, textOf, type Source } from './source.ts';
import { unionOf } from './union.ts';

/** Characters of one text that an answer shows: a requirement that a person wrote is far below. */
const MAX_SHOWN = 16 * 1024;
/** Conflicts that one answer shows. */
const MAX_LISTED = 20;

export interface Checked {
  /** The deltas to merge; the unions that were asked for stand in them. */
  readonly met: readonly MetDelta[];
  readonly stale: readonly StaleRequirement[];
  /** The bases with the conflicts noted as shown. */
  readonly bases: readonly Base[];
  readonly warnings: readonly string[];
}

/** Compares what each delta starts from with the specification as it is now. `takeUnion`: where there is one, take it. */
export const checkBases = (met: readonly MetDelta[], bases: readonly Base[], takeUnion: boolean): Checked => {
  const known = new Map(bases.map((base) => [keyOf(base), base]));
  const stale: StaleRequirement[] = [];
  const warnings: string[] = [];
  const checked = met.map((one) => {
    const { capability, delta, base: spec } = one;
    const blocks = blocksOf(spec);
    const unions = new Map<string, Requirement>();
    for (const source of sourcesOf(delta)) {
      const { requirement, operation, yours } = source;
      const base = known.get(keyOf({ capability, requirement }));
      const current = blockOf(blocks, source);
      if (base === undefined || !isStale(source, base, current)) continue;
      const union = mergedText(source, base, current);
      if (takeUnion && union !== undefined) {
        unions.set(union.name, union);
        warnings.push(`${capability} - "${union.name}" was changed meanwhile; the scenarios of both sides were kept.`);
        continue;
      }
      known.set(keyOf(base), { ...base, shown: { current: digestOf(current), yours: sha256(yoursOf(source)) } });
      stale.push({
        capability,
        requirement,
        operation,
        base: base.text ?? null,
        current: current === undefined ? null : textOf(current),
        yours: yours === undefined ? null : textOf(yours),
        ...(union === undefined ? {} : { union: union.raw }),
      });
    }
    return unions.size === 0
      ? one
      : { ...one, delta: { ...delta, modified: delta.modified.map((block) => unions.get(block.name) ?? block) } };
  });
  return { met: checked, stale, bases: [...known.values()], warnings };
};

/** Text that is as the change wants it, or gone as it wants it, is nobody's loss. */
const isStale = ({ operation, yours }: Source, base: Base, current: Requirement | undefined): boolean => {
  if (digestOf(current) === base.sha256) return false;
  if (current === undefined) return operation === 'MODIFIED';
  if (yours !== undefined && textOf(yours) === textOf(current)) return false;
  // Whatever came to be under a new name is refused by the merge, unless it was absent when the change named it.
  return operation !== 'ADDED' || base.sha256 === null;
};

const mergedText = (
  { operation, yours }: Source,
  base: Base,
  current: Requirement | undefined,
): Requirement | undefined =>
  operation === 'MODIFIED' && yours !== undefined && current !== undefined && base.text !== undefined
    ? unionOf(base.text, current, yours)
    : undefined;

/** The refusal of an archive that would overwrite what others wrote. */
export const staleError = (slug: string, stale: readonly StaleRequirement[]): CloutError => {
  const [first] = stale;
  const name = first === undefined ? '' : `${first.capability}: "${first.requirement}"`;
  const others = stale.length > 1 ? ` and ${stale.length - 1} more` : '';
  const isUnion = stale.every(({ union }) => union !== undefined);
  return new CloutError(
    'CHANGE_CONFLICT',
    `${name}${others} changed in the specification since change '${slug}' started from it; nothing was changed`,
    {
      hint: isUnion
        ? `Both sides only added scenarios: archive with union to keep them all (clout change archive ${slug} --union), or edit the delta`
        : `Edit the delta so that it holds what both sides want and archive again, or take the specification as the new base: clout change rebase ${slug}`,
      details: { slug, ...shorten(first), conflicts: stale.slice(0, MAX_LISTED).map(shorten) },
    },
  );
};

const shorten = (stale: StaleRequirement | undefined): object =>
  Object.fromEntries(
    Object.entries(stale ?? {}).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' && value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value,
    ]),
  );
