import { CloutError } from '@cloutagent/contract';
import { remembered } from '../grammar/remembered.ts';

/**
 * Beside the documents of a change: what each requirement that its deltas name looked like when they named it first.
 * It travels with the change through version control, and OpenSpec passes over names with a dot. It is a file of its
 * own because looking at a change must not rewrite `.openspec.yaml`, which people edit, and date the change anew.
 */
export const BASES_FILE = '.bases.json';

/** What a requirement was when the change named it first. */
export interface Base {
  readonly capability: string;
  readonly requirement: string;
  /** SHA-256 of the text below its heading; null where there was no such requirement. */
  readonly sha256: string | null;
  /** Undefined for a text too large to be kept. */
  readonly text?: string;
  /** A conflict that its author was shown: digests of both sides at that time. */
  readonly shown?: { readonly current: string | null; readonly yours: string };
}

/** Larger blocks leave only their fingerprint: no requirement that a person wrote is near this. */
export const MAX_TEXT = 64 * 1024;

export interface Note {
  readonly bases: readonly Base[];
  /** Taken by somebody who only looked, so a power loss may take it away: who changes what it tells of makes it last. */
  readonly isPassing: boolean;
}

const NO_NOTE: Note = { bases: [], isPassing: false };

/** Reads what it can: a file that was damaged by hand or by a merge of branches protects less, but stops nothing. */
export const parseNote = (text: string | undefined): Note => (text === undefined ? NO_NOTE : noteIn(text));

const noteIn = remembered((text): Note => {
  let value: { format?: unknown; passing?: unknown; bases?: unknown } | null;
  try {
    // Checked below.
    value = JSON.parse(text) as typeof value;
  } catch {
    return NO_NOTE;
  }
  if (typeof value?.format === 'number' && value.format > 1) {
    throw new CloutError('STORAGE_NEWER', 'A newer version of CloutAgent noted what this change started from');
  }
  const bases = Array.isArray(value?.bases) ? value.bases.filter((base: unknown): base is Base => isBase(base)) : [];
  return { bases, isPassing: value?.passing === true };
});

export const writeNote = ({ bases, isPassing }: Note): string =>
  `${JSON.stringify({ format: 1, ...(isPassing ? { passing: true } : {}), bases }, null, 2)}\n`;

const isBase = (value: unknown): boolean => {
  if (value === null || typeof value !== 'object') return false;
  // Every member is looked at here.
  const { capability, requirement, sha256, text, shown } = value as Partial<Base>;
  const isDigest = (digest: unknown): boolean => digest === null || typeof digest === 'string';
  return (
    typeof capability === 'string' &&
    typeof requirement === 'string' &&
    isDigest(sha256) &&
    (text === undefined || typeof text === 'string') &&
    (shown === undefined || (shown !== null && isDigest(shown.current) && typeof shown.yours === 'string'))
  );
};
