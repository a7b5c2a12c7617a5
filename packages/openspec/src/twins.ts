import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { namesOf } from './disk/read.ts';
import { foldedName } from './folded-name.ts';
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
    const other = standing(specsDir(project), capability.split('/'));
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
const standing = (folder: string, parts: readonly string[], above: readonly string[] = []): string | undefined => {
  const [part, ...rest] = parts;
  if (part === undefined) return undefined;
  const names = namesOf(folder);
  const folded = foldedName(part);
  const twin = names.find((name) => name !== part && foldedName(name) === folded);
  if (twin !== undefined) return [...above, twin].join('/');
  return names.includes(part) ? standing(path.join(folder, part), rest, [...above, part]) : undefined;
};

const quoted = (name: string): string => JSON.stringify(name);

const twins = (capability: string, other: string): Twins => ({
  capability,
  message: `The capability ${quoted(capability)} differs from ${other} only in case, encoding or invisible characters`,
});
