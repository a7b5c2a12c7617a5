import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { entriesOf } from './disk/read.ts';
import { foldedName } from './folded-name.ts';
import type { MetDelta } from './met.ts';
import { specsDir, type Project } from './project.ts';

/**
 * Two capabilities whose names are one file on a disk that folds case or accents, or that look the same, would
 * overwrite each other as soon as somebody checks them out there.
 * @throws CHANGE_CONFLICT
 */
export const assertNoTwins = (project: Project, slug: string, met: readonly MetDelta[]): void => {
  const named = new Map<string, string>();
  for (const { capability } of met) {
    const before = named.get(foldedName(capability));
    if (before !== undefined) throw twins(slug, capability, `the capability ${quoted(before)} of the same change`);
    named.set(foldedName(capability), capability);
    const other = standing(specsDir(project), capability.split('/'));
    if (other !== undefined) throw twins(slug, capability, `the specification ${quoted(other)}`);
  }
};

/** What stands at the place of a capability under another spelling; undefined where it is the same, or nothing. */
const standing = (folder: string, parts: readonly string[], above: readonly string[] = []): string | undefined => {
  const [part, ...rest] = parts;
  if (part === undefined) return undefined;
  const names = entriesOf(folder).map(({ name }) => name);
  const twin = names.find((name) => name !== part && foldedName(name) === foldedName(part));
  if (twin !== undefined) return [...above, twin].join('/');
  return names.includes(part) ? standing(path.join(folder, part), rest, [...above, part]) : undefined;
};

const quoted = (name: string): string => JSON.stringify(name);

const twins = (slug: string, capability: string, other: string): CloutError =>
  new CloutError(
    'CHANGE_CONFLICT',
    `The capability ${quoted(capability)} of change '${slug}' differs from ${other} only in case, encoding or invisible characters; nothing was changed`,
    { hint: 'Rename its folder to the spelling that is there already', details: { slug, capability } },
  );
