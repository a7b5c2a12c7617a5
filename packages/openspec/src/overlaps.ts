import { existsSync } from 'node:fs';
import path from 'node:path';
import { codeOf, type Overlap } from '@cloutagent/contract';
import { noteBases } from './base/see.ts';
import { loadDeltas, loadShared, type ChangeDeltas } from './change.ts';
import { entriesOf, namesOf } from './disk/read.ts';
import { parseDelta } from './grammar/delta.ts';
import { nextTurn } from './listing/slice.ts';
import { meetSpecs, type MetDelta } from './met.ts';
import { overlapsAmong, touchesOf, type Touch } from './overlap.ts';
import { changesDir, type Project } from './project.ts';
import { isChangeName } from './slug.ts';

/** Notes what a change starts from; two ways, for callers that hold the lock and for those that do not. */
type Note = (project: Project, files: ChangeDeltas, met: readonly MetDelta[]) => Promise<unknown>;

/**
 * Requirements that several open changes name: of one change, or of all. What they start from is noted on the way, so
 * that a later archive knows what it would overwrite.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED for a slug that is none
 */
export const overlapsOf = async (project: Project, slug?: string): Promise<Overlap[]> =>
  slug === undefined
    ? overlapsAmong(await looked(project, openNames(project), noteBases, async (name) => loadDeltas(project, name)))
    : overlapsOfOne(project, await loadDeltas(project, slug));

const overlapsOfOne = async (project: Project, own: ChangeDeltas): Promise<Overlap[]> => {
  await noteBases(project, own, await meetSpecs(project, own));
  return overlapsWith(project, own, noteBases);
};

/** Those of one change that was read already; `note` is told of the others. */
export const overlapsWith = async (project: Project, own: ChangeDeltas, note: Note): Promise<Overlap[]> => {
  const capabilities = own.deltas.map(({ capability }) => capability);
  const names = namesOf(changesDir(project)).filter((name) => isChangeName(name) && name !== own.name);
  const others = await sharing(project, names, capabilities);
  const touches = own.deltas.flatMap(({ capability, text }) => touchesOf(capability, parseDelta(text)));
  const load = async (name: string): Promise<ChangeDeltas> => loadShared(project, name, capabilities);
  const all = [{ slug: own.name, touches }, ...(await looked(project, others, note, load))];
  return overlapsAmong(all).filter(({ changes }) => changes.some((change) => change.slug === own.name));
};

/** Their order does not matter here, so nothing is read but the folder itself. */
const openNames = (project: Project): string[] =>
  entriesOf(changesDir(project))
    .filter((entry) => isChangeName(entry.name) && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name);

interface Looked {
  readonly slug: string;
  readonly touches: readonly Touch[];
}

const looked = async (
  project: Project,
  names: readonly string[],
  note: Note,
  load: (name: string) => Promise<ChangeDeltas>,
): Promise<Looked[]> => {
  const found: Looked[] = [];
  for (const name of names) {
    try {
      found.push(await lookedAt(project, await load(name), note));
    } catch (error) {
      // Archived meanwhile, or unreadable: then its own validation says why.
      if (codeOf(error) === undefined) throw error;
    }
  }
  return found;
};

const lookedAt = async (project: Project, files: ChangeDeltas, note: Note): Promise<Looked> => {
  const met = await meetSpecs(project, files);
  await note(project, files, met);
  return { slug: files.name, touches: met.flatMap(({ capability, delta }) => touchesOf(capability, delta)) };
};

/** Looks between two turns of the event loop: 3 µs each, against 60 with a promise for each. */
const LOOKS_PER_TURN = 500;

/** Changes that have a delta for one of these capabilities. Only those have to be read, however many there are. */
const sharing = async (
  project: Project,
  names: readonly string[],
  capabilities: readonly string[],
): Promise<string[]> => {
  const found: string[] = [];
  const changes = changesDir(project);
  const files = capabilities.map((capability) => path.join(path.sep, 'specs', ...capability.split('/'), 'spec.md'));
  for (const [index, name] of names.entries()) {
    for (const file of files) {
      if (!existsSync(`${changes}${path.sep}${name}${file}`)) continue;
      found.push(name);
      break;
    }
    if (((index + 1) * files.length) % LOOKS_PER_TURN < files.length) await nextTurn();
  }
  return found;
};
