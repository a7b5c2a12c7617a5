import { CloutError } from '@cloutagent/contract';

/** One file of an intent: its whole text before and after; null where it does not exist. Relative to `openspec/`. */
export interface IntendedWrite {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Everything that an archive will do, written before the first of it is done. */
export interface Intent {
  readonly format: 1;
  readonly op: 'archive';
  readonly slug: string;
  readonly archivedAs: string;
  readonly writes: readonly IntendedWrite[];
  readonly receipt: string;
}

/** Undefined for what is no intent. @throws STORAGE_NEWER for one of a newer format */
export const parseIntent = (text: string): Intent | undefined => {
  let value: Partial<Intent> | null;
  try {
    // Checked below; a document of a newer version may have any other shape.
    value = JSON.parse(text) as Partial<Intent> | null;
  } catch {
    return undefined;
  }
  if (typeof value?.format !== 'number') return undefined;
  if (value.format > 1) {
    throw new CloutError('STORAGE_NEWER', 'A newer version of CloutAgent has begun an archive here; update to finish it');
  }
  const isWhole =
    value.op === 'archive' &&
    isName(value.slug) &&
    isName(value.archivedAs) &&
    typeof value.receipt === 'string' &&
    Array.isArray(value.writes) &&
    value.writes.every(isWrite);
  return isWhole ? (value as Intent) : undefined;
};

/** The journal lies in a folder that others can write: it must not lead out either. */
const isName = (value: unknown): boolean => typeof value === 'string' && /^[^/\\\0]+$/u.test(value) && !/^\.+$/u.test(value);

const isWrite = (value: unknown): boolean => {
  if (value === null || typeof value !== 'object') return false;
  const { path: at, before, after } = value as Partial<IntendedWrite>;
  const isText = (text: unknown): boolean => text === null || typeof text === 'string';
  return typeof at === 'string' && /^specs\//u.test(at) && at.split('/').every(isName) && isText(before) && isText(after);
};
