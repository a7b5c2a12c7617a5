import { existsSync } from 'node:fs';
import path from 'node:path';
import { codeOf, type Overlap } from '@cloutagent/contract';
import { noteBases } from './base/see.ts';
import { changeFolder, loadDeltas, type ChangePlace } from './change.ts';
import { entriesOf, namesOf } from './disk/read.ts';
import { nextTurn, sliced } from './listing/slice.ts';
import { meetShared, meetSpecs, type MetDelta } from './met.ts';
import { keyOf, overlapsAmong, touchesOf, type Touch } from './overlap.ts';
import { changesDir, type Project } from './project.ts';
import { isChangeName } from './slug.ts';

/**
 * Notes what a change starts from; two ways, for callers that hold the lock and for those that do not. `isShared`: it
 * names a requirement that the change in hand names too.
 */
type Note = (project: Project, place: ChangePlace, met: readonly MetDelta[], isShared: boolean) => Promise<unknown>;

/**
 * Requirements that several open changes name: of one change, or of all. What they start from is noted on the way, so
 * that a later archive knows what it would overwrite.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED for a slug that is none
 */
export const overlapsOf = async (project: Project, slug?: string): Promise<Overlap[]> => {
  if (slug === undefined) return overlapsAmong(await looked(openNames(project), async (name) => lookAt(project, name)));
  const own = await loadDeltas(project, slug);
  const met = await meetSpecs(project, own);
  await noteBases(project, own, met);
  return overlapsWith(project, own.name, met, noteBases);
};

/** Those of one change that was read already, with the specifications that it meets; `note` is told of the others. */
export const overlapsWith = async (
  project: Project,
  name: string,
  own: readonly MetDelta[],
  note: Note,
): Promise<Overlap[]> => {
  const specs = new Map(own.map(({ capability, base }) => [capability, base]));
  const slice = sliced(() => project.clock.monotonic());
  const touches = touchesIn(own);
  const keys = new Set(touches.map(keyOf));
  const names = namesOf(changesDir(project)).filter((other) => isChangeName(other) && other !== name);
  const others = await looked(await sharing(project, names, [...specs.keys()]), async (other) => {
    const folder = changeFolder(project, other);
    const met = await meetShared(project, folder, specs, slice);
    const theirs = touchesIn(met);
    const isShared = theirs.some((touch) => keys.has(keyOf(touch)));
    await note(project, { name: other, folder }, met, isShared);
    return { slug: other, touches: theirs };
  });
  const all = [{ slug: name, touches }, ...others];
  return overlapsAmong(all).filter(({ changes }) => changes.some((change) => change.slug === name));
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

const looked = async (names: readonly string[], look: (name: string) => Promise<Looked>): Promise<Looked[]> => {
  const found: Looked[] = [];
  for (const name of names) {
    try {
      found.push(await look(name));
    } catch (error) {
      // Archived meanwhile, or unreadable: then its own validation says why.
      if (codeOf(error) === undefined) throw error;
    }
  }
  return found;
};

const lookAt = async (project: Project, name: string): Promise<Looked> => {
  const files = await loadDeltas(project, name);
  const met = await meetSpecs(project, files);
  await noteBases(project, files, met);
  return { slug: name, touches: touchesIn(met) };
};

const touchesIn = (met: readonly MetDelta[]): Touch[] =>
  met.flatMap(({ capability, delta }) => touchesOf(capability, delta));

/** Looks between two turns of the event loop: 3 µs each, against 60 with a promise for each. */
const LOOKS_PER_TURN = 500;

/** Changes that have a delta for one of these capabilities. Only those have to be read, however many there are. */
const sharing = async (
  project: Project,
  names: readonly string[],
  capabilities: readonly string[],
): Promise<string[]> => {
  const found: string[] = [];
  const changes = `${changesDir(project)}${path.sep}`;
  const files = capabilities.map((capability) => path.join(path.sep, 'specs', ...capability.split('/'), 'spec.md'));
  const perTurn = Math.ceil(LOOKS_PER_TURN / Math.max(1, files.length));
  for (let from = 0; from < names.length; from += perTurn) {
    if (from > 0) await nextTurn();
    found.push(...names.slice(from, from + perTurn).filter((name) => holdsOne(changes + name, files)));
  }
  return found;
};

const holdsOne = (folder: string, files: readonly string[]): boolean => {
  for (const file of files) if (existsSync(folder + file)) return true;
  return false;
};
