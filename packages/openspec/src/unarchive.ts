import path from 'node:path';
import { CloutError, type UnarchiveResult } from '@cloutagent/contract';
import { parseUndo, restored, type Undo } from './archive/undo.ts';
import { archivedAs, archivedNames, RECEIPT_FILE, UNDO_FILE } from './archived.ts';
import { changeFolder } from './change.ts';
import { sha256 } from './digest.ts';
import { isThere } from './disk/durable.ts';
import { readInside } from './disk/read.ts';
import { archivedPath, intend, type IntendedWrite } from './intent.ts';
import { mutate } from './held.ts';
import { commit } from './journal.ts';
import { assertFree } from './lease.ts';
import { META_FILE, parseMeta } from './meta.ts';
import { archiveDir, shownPath, type Project } from './project.ts';
import { assertChangeName } from './slug.ts';

/**
 * Takes the last archive of a change back, where the specifications still are as it left them: they get their old
 * bytes, the change is open again, its receipt is gone. `slug` may also be the name of a folder in the archive.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_EXISTS where the slug is taken again, CHANGE_LOCKED, CHANGE_CONFLICT where
 * a specification was changed since, or where another tool archived it
 */
export const unarchiveChange = async (given: Project, { slug }: { readonly slug: string }): Promise<UnarchiveResult> =>
  mutate(given, async (project) => {
    assertChangeName(slug);
    const archived = lastArchive(project, slug);
    const folder = path.join(archiveDir(project), archived);
    const read = (file: string): string | undefined => readInside(project.openspecDir, file);
    const undo = parseUndo(read(path.join(folder, UNDO_FILE)));
    if (undo === undefined) throw noRecord(slug, archived);
    const target = changeFolder(project, undo.slug);
    if (isThere(target)) throw taken(undo.slug, archived);
    assertFree(project, undo.slug, parseMeta(read(path.join(folder, META_FILE))));
    const specs = specWrites(project, archived, undo);
    const own = (name: string, after: string | null): IntendedWrite =>
      intend(archivedPath(archived, name), read(path.join(folder, name)) ?? null, after);
    const writes = [...specs, own(RECEIPT_FILE, undo.receipt), own(UNDO_FILE, null)];
    await commit(project, { format: 2, op: 'unarchive', slug: undo.slug, archivedAs: archived, writes });
    return {
      slug: undo.slug,
      archivedAs: archived,
      path: shownPath(project, target),
      specs: specs.map((write) => shownPath(project, path.join(project.openspecDir, write.path))),
    };
  });

/** By number where one day saw several: `-10` comes after `-2`. */
const lastArchive = (project: Project, slug: string): string => {
  const names = archivedNames(project);
  const found = names.includes(slug) ? [slug] : archivedAs(project, slug);
  const last = found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (last !== undefined) return last;
  throw new CloutError('CHANGE_NOT_FOUND', `There is no archived change '${slug}'`, {
    hint: 'clout change list --all names the archived ones too',
    details: { slug },
  });
};

const specWrites = (project: Project, archived: string, undo: Undo): IntendedWrite[] => {
  const writes: IntendedWrite[] = [];
  const changed: string[] = [];
  for (const spec of undo.specs) {
    const now = readInside(project.openspecDir, path.join(project.openspecDir, spec.path)) ?? null;
    if ((now === null ? null : sha256(now)) !== spec.after) changed.push(`openspec/${spec.path}`);
    writes.push(intend(spec.path, now, restored(spec, now)));
  }
  if (changed.length === 0) return writes;
  throw new CloutError(
    'CHANGE_CONFLICT',
    `${changed.join(', ')} changed since '${undo.slug}' was archived; nothing was changed`,
    {
      hint: 'What came later builds on this archive: take that back first, or open a change that undoes this one',
      details: { slug: undo.slug, archived_as: archived, files: changed },
    },
  );
};

const noRecord = (slug: string, archived: string): CloutError =>
  new CloutError('CHANGE_CONFLICT', `Nothing says how to take the archive of '${slug}' back; nothing was changed`, {
    hint: 'Only archives that CloutAgent made can be taken back; use version control for this one',
    details: { slug, archived_as: archived },
  });

const taken = (slug: string, archived: string): CloutError =>
  new CloutError('CHANGE_ALREADY_EXISTS', `Change '${slug}' is open again already`, {
    details: { existing_slug: slug, existing_status: 'draft', archived_as: archived },
  });
