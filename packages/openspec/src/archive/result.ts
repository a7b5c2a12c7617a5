import path from 'node:path';
import type { ArchiveResult, SpecUpdate } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { RECEIPT_FILE } from '../archived.ts';
import type { ChangeFiles } from '../change.ts';
import { isThere } from '../disk/durable.ts';
import { archiveDir, shownPath, type Project } from '../project.ts';
import { untouchedFiles } from '../scaffold.ts';
import { specFile } from '../met.ts';
import type { Merged } from './merged.ts';

/** The answer of an archive that is about to be committed. */
export const resultOf = (project: Project, files: ChangeFiles, merged: readonly Merged[]): ArchiveResult => {
  const archivedAt = toIso(project.clock.now());
  const archivedAs = freeName(project, files.name, archivedAt.slice(0, 10));
  const folder = path.join(archiveDir(project), archivedAs);
  const count = (key: 'added' | 'modified' | 'removed' | 'renamed'): number =>
    merged.reduce((total, { merge }) => total + merge[key].length, 0);
  const untouched = new Set(merged.length === 0 ? [] : untouchedFiles(files));
  return {
    slug: files.name,
    archivedAs,
    archivedAt,
    path: shownPath(project, folder),
    specs: merged.filter(({ outcome }) => outcome !== 'keep').map((one) => updateOf(project, one)),
    totals: {
      added: count('added'),
      modified: count('modified'),
      removed: count('removed'),
      renamed: count('renamed'),
    },
    warnings: merged.flatMap((one) => [
      ...one.merge.warnings,
      ...(one.outcome === 'retire' ? [retired(project, one.capability)] : []),
      ...(untouched.has(`specs/${one.capability}/spec.md`)
        ? [`${one.capability} - the delta is still the text of the template; it was merged as it stands.`]
        : []),
    ]),
    overlaps: [],
    receiptPath: shownPath(project, path.join(folder, RECEIPT_FILE)),
  };
};

const updateOf = (project: Project, { capability, merge, outcome }: Merged): SpecUpdate => ({
  capability,
  path: shownPath(project, specFile(project, capability)),
  created: merge.created,
  retired: outcome === 'retire',
  added: [...merge.added],
  modified: [...merge.modified],
  removed: [...merge.removed],
  renamed: [...merge.renamed],
});

/** In OpenSpec's words. The Purpose is the only section that can go: any other text refuses a retirement. */
const retired = (project: Project, capability: string): string => {
  const file = shownPath(project, specFile(project, capability));
  return `${capability} - capability retired; deleted the main spec (all requirements removed, declared by retire_capabilities) at ${file}. Its section(s) went with it: Purpose. If it was committed, restore it with: git checkout HEAD -- ":(top)${file}"`;
};

/** `YYYY-MM-DD-<slug>`, unless the slug starts with a date already; a number where that name is taken. */
const freeName = (project: Project, slug: string, day: string): string => {
  const base = /^\d{4}-\d{2}-\d{2}-/u.test(slug) ? slug : `${day}-${slug}`;
  let name = base;
  for (let count = 2; isThere(path.join(archiveDir(project), name)); count += 1) name = `${base}-${count}`;
  return name;
};
