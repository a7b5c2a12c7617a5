import { CloutError, codeOf } from '@cloutagent/contract';
import type { IntendedWrite } from '../intent.ts';

/** Only what an archive replaced is kept: specifications are long, and an archive changes a few lines of them. */
export interface Undo {
  readonly format: 1;
  readonly slug: string;
  readonly specs: readonly {
    /** Relative to `openspec/`. */
    readonly path: string;
    /** SHA-256 of the file as the archive left it; null where it deleted it. */
    readonly after: string | null;
    /** The old text in place of the characters from `start` to `end`; null where there was no file. */
    readonly before: { readonly start: number; readonly end: number; readonly text: string } | null;
  }[];
  /** A file of the change that the receipt took the place of. */
  readonly receipt: string | null;
}

export const undoOf = (slug: string, writes: readonly IntendedWrite[], receipt: string | null): Undo => ({
  format: 1,
  slug,
  specs: writes.map(({ path, before, after, start, old, fresh }) => ({
    path,
    after,
    before: before === null ? null : { start, end: start + fresh.length, text: old },
  })),
  receipt,
});

/** The file as it was before, from the file as the archive left it. */
export const restored = ({ before }: Undo['specs'][number], now: string | null): string | null =>
  before === null ? null : `${(now ?? '').slice(0, before.start)}${before.text}${(now ?? '').slice(before.end)}`;

/** Undefined for what cannot be read: then an archive cannot be taken back. @throws STORAGE_NEWER */
export const parseUndo = (text: string | undefined): Undo | undefined => {
  if (text === undefined) return undefined;
  try {
    // Every member is looked at here.
    const value = JSON.parse(text) as Partial<Undo> | null;
    if (typeof value?.format === 'number' && value.format > 1) throw newer();
    const { format, slug, specs, receipt } = value ?? {};
    if (format !== 1 || typeof slug !== 'string' || !Array.isArray(specs) || !specs.every(isSpec)) return undefined;
    return receipt === null || typeof receipt === 'string' ? { format, slug, specs, receipt } : undefined;
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    return undefined;
  }
};

const newer = (): CloutError =>
  new CloutError('STORAGE_NEWER', 'A newer version of CloutAgent made this archive; update to take it back');

const isSpec = (value: unknown): boolean => {
  if (value === null || typeof value !== 'object') return false;
  const { path, after, before } = value as Partial<Undo['specs'][number]>;
  if (typeof path !== 'string' || !(after === null || typeof after === 'string') || before === undefined) return false;
  return (
    before === null ||
    (Number.isInteger(before.start) && Number.isInteger(before.end) && typeof before.text === 'string')
  );
};
