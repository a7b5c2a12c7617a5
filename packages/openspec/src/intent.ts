import { CloutError } from '@cloutagent/contract';
import { RECEIPT_FILE, UNDO_FILE } from './archived.ts';
import { sha256 } from './digest.ts';
import { stretchOf, type Stretch } from './stretch.ts';

/**
 * One file of an intent, relative to `openspec/`: SHA-256 of its whole text before and after, null where it does not
 * exist, and what differs. The texts themselves are long, and an archive changes a few lines of them.
 */
export interface IntendedWrite extends Stretch {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Everything that an archive, or taking one back, will do, written before the first of it is done. */
export interface Intent {
  readonly format: 2;
  readonly op: 'archive' | 'unarchive';
  readonly slug: string;
  readonly archivedAs: string;
  /** Specifications, and the receipt and the way back in the folder of the change, where it is before the move. */
  readonly writes: readonly IntendedWrite[];
}

export const openPath = (slug: string, file: string): string => `changes/${slug}/${file}`;
export const archivedPath = (archived: string, file: string): string => `changes/archive/${archived}/${file}`;

/** From whole texts. */
export const intend = (path: string, before: string | null, after: string | null): IntendedWrite => ({
  path,
  before: digestOf(before),
  after: digestOf(after),
  ...stretchOf(before ?? '', after ?? ''),
});

/** Both whole texts of a file, from the one that it has now; undefined where that is neither of them. */
export const textsOf = (
  { before, after, start, old, fresh }: IntendedWrite,
  now: string | null,
): { readonly before: string | null; readonly after: string | null } | undefined => {
  const put = (out: string, into: string): string =>
    `${(now ?? '').slice(0, start)}${into}${(now ?? '').slice(start + out.length)}`;
  const digest = digestOf(now);
  if (digest === before) return { before: now, after: after === null ? null : put(old, fresh) };
  if (digest === after) return { before: before === null ? null : put(fresh, old), after: now };
  return undefined;
};

const digestOf = (text: string | null): string | null => (text === null ? null : sha256(text));

/** A block of the disk: a file that keeps its length is written again without a word of where it lies. */
const BLOCK_BYTES = 4096;

/**
 * One line of JSON and one with its SHA-256, in every format to come: what was damaged is told from what is newer. Empty
 * lines fill the last block.
 */
export const writeIntent = (intent: Intent): string => {
  const line = JSON.stringify(intent);
  const text = `${line}\n${sha256(line)}\n`;
  const rest = Buffer.byteLength(text) % BLOCK_BYTES;
  return rest === 0 ? text : text + '\n'.repeat(BLOCK_BYTES - rest);
};

/** Undefined for what is no intent, or was damaged. @throws STORAGE_NEWER for one of a newer format */
export const parseIntent = (text: string): Intent | undefined => {
  const [line = '', digest, ...rest] = text.trimEnd().split('\n');
  if (digest !== sha256(line) || rest.length > 0) return undefined;
  let value: Partial<Intent> | null;
  try {
    // Checked below; a document of a newer version may have any other shape.
    value = JSON.parse(line) as Partial<Intent> | null;
  } catch {
    return undefined;
  }
  if (typeof value?.format === 'number' && value.format > 2) {
    throw new CloutError(
      'STORAGE_NEWER',
      'A newer version of CloutAgent has begun an archive here; update to finish it',
    );
  }
  const known = fromFirst(value);
  return isIntent(known) ? known : undefined;
};

/** The first format held both texts of each file. What is no such intent stays as it is, and is looked at like any. */
const fromFirst = (value: { readonly format?: unknown; readonly writes?: unknown } | null): Partial<Intent> | null => {
  const isFirst = value?.format === 1 && Array.isArray(value.writes);
  // Every member is looked at afterwards.
  return (isFirst ? { ...value, format: 2, writes: value.writes.map(fromTexts) } : value) as Partial<Intent> | null;
};

const fromTexts = (write: unknown): unknown => {
  // Every member is looked at in the next line.
  const { path, before, after } = (write ?? {}) as { path?: unknown; before?: unknown; after?: unknown };
  return typeof path === 'string' && isText(before) && isText(after) ? intend(path, before, after) : undefined;
};

export const isIntent = (value: Partial<Intent> | null): value is Intent => {
  const { format, op, slug, archivedAs, writes } = value ?? {};
  if (format !== 2 || (op !== 'archive' && op !== 'unarchive')) return false;
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

const isText = (text: unknown): text is string | null => text === null || typeof text === 'string';

const isWrite = (value: unknown): value is IntendedWrite => {
  if (value === null || typeof value !== 'object') return false;
  // Every member is looked at below.
  const { path: at, before, after, start, old, fresh } = value as Partial<IntendedWrite>;
  if (typeof at !== 'string' || !at.split('/').every(isName) || !isText(before) || !isText(after)) return false;
  return Number.isSafeInteger(start) && (start ?? -1) >= 0 && typeof old === 'string' && typeof fresh === 'string';
};
