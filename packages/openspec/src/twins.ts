import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { namesOf } from './disk/read.ts';
import { foldedName } from './folded-name.ts';
import { isRacy, stampOf } from './listing/stamp.ts';
import type { MetDelta } from './met.ts';
import { specsDir, type Project } from './project.ts';

export interface Twins {
  readonly capability: string;
  /** A sentence. */
  readonly message: string;
}

/**
 * Two capabilities whose names are one file on a disk that folds case or encodings, or that look the same, would
 * overwrite each other as soon as somebody checks them out there.
 */
export const twinsOf = (project: Project, met: readonly Pick<MetDelta, 'capability'>[]): Twins[] => {
  const named = new Map<string, string>();
  return met.flatMap(({ capability }) => {
    const before = named.get(foldedName(capability));
    named.set(foldedName(capability), capability);
    if (before !== undefined) return [twins(capability, `the capability ${quoted(before)} of the same change`)];
    const other = standing(specsDir(project), capability.split('/'), project.clock.now());
    return other === undefined ? [] : [twins(capability, `the specification ${quoted(other)}`)];
  });
};

/** @throws CHANGE_CONFLICT */
export const assertNoTwins = (project: Project, slug: string, met: readonly MetDelta[]): void => {
  const [first] = twinsOf(project, met);
  if (first === undefined) return;
  throw new CloutError('CHANGE_CONFLICT', `${first.message}; nothing was changed`, {
    hint: 'Rename the folder of the delta to the spelling that is there already',
    details: { slug, capability: first.capability },
  });
};

/** What stands at the place of a capability under another spelling; undefined where it is the same, or nothing. */
const standing = (
  folder: string,
  parts: readonly string[],
  lookedAt: number,
  above: readonly string[] = [],
): string | undefined => {
  const [part, ...rest] = parts;
  if (part === undefined) return undefined;
  const alike = spelledIn(folder, lookedAt).get(foldedName(part)) ?? [];
  const twin = alike.find((name) => name !== part);
  if (twin !== undefined) return [...above, twin].join('/');
  return alike.includes(part) ? standing(path.join(folder, part), rest, lookedAt, [...above, part]) : undefined;
};

/** Names of a folder by what they fold to. */
type Spelled = ReadonlyMap<string, readonly string[]>;

interface Known {
  /** Undefined where an edit could have left it as it is. */
  readonly stamp: string | undefined;
  readonly names: readonly string[];
  readonly spelled: Spelled;
}

/** Folders as they were: every validation and every archive looks at the one of all specifications. */
const known = new Map<string, Known>();
/** A process works in a handful of projects, with few capabilities inside of others. */
const MAX_FOLDERS = 32;

const spelledIn = (folder: string, lookedAt: number): Spelled => {
  const { stamp, changedAt } = stampOf([folder]);
  const before = known.get(folder);
  if (before?.stamp === stamp) return before.spelled;
  const names = namesOf(folder);
  const spelled = before !== undefined && areSame(names, before.names) ? before.spelled : spell(names);
  if (known.size >= MAX_FOLDERS) known.clear();
  known.set(folder, { stamp: isRacy(changedAt, lookedAt) ? undefined : stamp, names, spelled });
  return spelled;
};

const areSame = (names: readonly string[], before: readonly string[]): boolean =>
  names.length === before.length && names.every((name, index) => name === before[index]);

const spell = (names: readonly string[]): Spelled => {
  const spelled = new Map<string, string[]>();
  for (const name of names) {
    const folded = foldedName(name);
    spelled.set(folded, [...(spelled.get(folded) ?? []), name]);
  }
  return spelled;
};

const quoted = (name: string): string => JSON.stringify(name);

const twins = (capability: string, other: string): Twins => ({
  capability,
  message: `The capability ${quoted(capability)} differs from ${other} only in case, encoding or invisible characters`,
});
