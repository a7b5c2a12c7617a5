import { CloutError } from '@cloutagent/contract';
import { RECEIPT_FILE, UNDO_FILE } from './archived.ts';
import { sha256 } from './digest.ts';

/** One file of an intent: its whole text before and after; null where it does not exist. Relative to `openspec/`. */
export interface IntendedWrite {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Everything that an archive, or taking one back, will do, written before the first of it is done. */
export interface Intent {
  readonly format: 1;
  readonly op: 'archive' | 'unarchive';
  readonly slug: string;
  readonly archivedAs: string;
  /** Specifications, and the receipt and the way back in the folder of the change, where it is before the move. */
  readonly writes: readonly IntendedWrite[];
}

export const openPath = (slug: string, file: string): string => `changes/${slug}/${file}`;
export const archivedPath = (archived: string, file: string): string => `changes/archive/${archived}/${file}`;

/** One line of JSON and one with its SHA-256, in every format to come: what was damaged is told from what is newer. */
export const writeIntent = (intent: Intent): string => {
  const line = JSON.stringify(intent);
  return `${line}\n${sha256(line)}\n`;
};

/** Undefined for what is no intent, or was damaged. @throws STORAGE_NEWER for one of a newer format */
export const parseIntent = (text: string): Intent | undefined => {
  const [line = '', digest, ...rest] = text.split('\n');
  if (digest !== sha256(line) || rest.join('\n') !== '') return undefined;
  let value: Partial<Intent> | null;
  try {
    // Checked below; a document of a newer version may have any other shape.
    value = JSON.parse(line) as Partial<Intent> | null;
  } catch {
    return undefined;
  }
  if (typeof value?.format === 'number' && value.format > 1) {
    throw new CloutError(
      'STORAGE_NEWER',
      'A newer version of CloutAgent has begun an archive here; update to finish it',
    );
  }
  return isIntent(value) ? value : undefined;
};

export const isIntent = (value: Partial<Intent> | null): value is Intent => {
  const { format, op, slug, archivedAs, writes } = value ?? {};
  if (format !== 1 || (op !== 'archive' && op !== 'unarchive')) return false;
  if (!isName(slug) || !isName(archivedAs) || !isWrites(writes)) return false;
  const own = [RECEIPT_FILE, UNDO_FILE].map((file) =>
    op === 'archive' ? openPath(slug, file) : archivedPath(archivedAs, file),
  );
  return writes.every((write) => write.path.startsWith('specs/') || own.includes(write.path));
};

/** The journal lies in a folder that others can write: it must not lead out either. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[^/\\\0]+$/u.test(value) && !/^\.+$/u.test(value);

const isWrites = (value: unknown): value is IntendedWrite[] =>
  Array.isArray(value) && value.every((write: unknown) => isWrite(write));

const isWrite = (value: unknown): value is IntendedWrite => {
  if (value === null || typeof value !== 'object') return false;
  // Every member is looked at below.
  const { path: at, before, after } = value as Partial<IntendedWrite>;
  const isText = (text: unknown): boolean => text === null || typeof text === 'string';
  return typeof at === 'string' && at.split('/').every(isName) && isText(before) && isText(after);
};
