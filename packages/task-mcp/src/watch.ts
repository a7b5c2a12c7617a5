import { join, sep } from 'node:path';
import type { Clock } from '@cloutagent/kit';
import { watchTree, type TreeWatch } from './watch-tree.ts';

/** What changed on disk since the last word. */
export interface Touched {
  /** Resources that read otherwise now, by their plain URIs. */
  readonly uris: ReadonlySet<string>;
  /** Resources came or went. */
  readonly listed: boolean;
}

export type WatchChanges = (listener: (touched: Touched) => void) => () => void;

/** An editor writes a file in several steps, and opening a change makes a dozen; one word for all of them. */
const SETTLE_MS = 50;
/** More files at once are a checkout or a copy: the listing says it all. */
const MAX_FILES = 1000;

const LISTING = ['changes://active', 'changes://active/list'];

/** Names with a dot are drafts of a write; what was archived changes no more. */
const isOfInterest = (folder: string): boolean => {
  const parts = folder.split(sep);
  return !parts.some((part) => part.startsWith('.')) && (parts[0] !== 'archive' || parts.length === 1);
};

/** `auth/specs/login/spec.md` → the resources that show it. */
const urisOf = (file: string): readonly string[] => {
  const [slug = '', ...rest] = file.split(sep);
  const base = `change://${encodeURIComponent(slug)}`;
  // The folder itself came or went, and with it all that is in it.
  if (rest.length === 0) {
    const documents = ['proposal', 'tasks', 'delta/spec.md', 'delta/spec'].map((name) => `${base}/${name}`);
    return [...documents, `changes://archived/${encodeURIComponent(slug)}`];
  }
  if (rest.length === 1 && (rest[0] === 'proposal.md' || rest[0] === 'tasks.md')) {
    return [`${base}/${rest[0].slice(0, -'.md'.length)}`];
  }
  if (rest[0] !== 'specs' || rest.at(-1) !== 'spec.md') return [];
  const capability = rest.slice(1).map(encodeURIComponent).join('/');
  return [`${base}/delta/${capability}`, `${base}/delta/spec.md`, `${base}/delta/spec`];
};

/**
 * Tells its listeners what changes under `openspec/changes`, whoever changes it. Without listeners nothing is watched;
 * a folder that is not there yet is looked for again with each listener and each `poke`, which says what we did
 * ourselves.
 */
export const watchFolder = (
  openspecDir: string,
  clock: Clock,
): { readonly watch: WatchChanges; readonly poke: (slug: string) => void } => {
  const folder = join(openspecDir, 'changes');
  const listeners = new Set<(touched: Touched) => void>();
  let watcher: TreeWatch | undefined;
  let files = new Set<string>();
  let listed = false;
  let settling = false;

  const tell = (): void => {
    settling = false;
    const uris = new Set([...files].flatMap(urisOf).concat(LISTING));
    const touched = { uris, listed };
    files = new Set();
    listed = false;
    for (const listener of listeners) listener(touched);
  };
  const note = (file: string | null, renamed: boolean): void => {
    // Names with a dot are drafts of a write; what they become is told under its own name.
    if (file !== null && !file.split(sep).some((part) => part.startsWith('.')) && files.size < MAX_FILES)
      files.add(file);
    listed ||= renamed;
    if (settling) return;
    settling = true;
    clock.sleep(SETTLE_MS).then(tell, () => undefined);
  };
  const stop = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const start = (): void => {
    if (watcher !== undefined || listeners.size === 0) return;
    try {
      watcher = watchTree(folder, {
        clock,
        enters: isOfInterest,
        onEvent: note,
        // The folder went away: the next listener tries again.
        onLost: () => {
          watcher = undefined;
        },
      });
    } catch {
      watcher = undefined;
    }
  };
  return {
    watch(listener) {
      listeners.add(listener);
      start();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    poke(slug) {
      start();
      note(slug, true);
    },
  };
};
