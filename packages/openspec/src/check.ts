import path from 'node:path';
import type { Check } from '@cloutagent/contract';

/**
 * Reads what follows `check:` in a bullet below a task; undefined where it cannot be read, which keeps the task open.
 * PATH is relative to the project's root and stays inside it; TEXT is a JSON string.
 */
export const parseCheck = (text: string): Check | undefined => {
  if (text.includes('\0')) return undefined;
  const [, kind, rest] = /^(file|run)\s+(\S.*)$/u.exec(text.trim()) ?? [];
  if (kind === undefined || rest === undefined) return undefined;
  return kind === 'run' ? { kind: 'run', command: rest } : parseFileCheck(rest);
};

const CONTAINS = ' contains ';
const EXISTS = ' exists';

const parseFileCheck = (rest: string): Check | undefined => {
  if (rest.endsWith(EXISTS)) {
    const file = relativePath(rest.slice(0, -EXISTS.length));
    return file === undefined ? undefined : { kind: 'file-exists', path: file };
  }
  const at = rest.indexOf(`${CONTAINS}"`);
  const file = at < 0 ? undefined : relativePath(rest.slice(0, at));
  const text = at < 0 ? undefined : jsonString(rest.slice(at + CONTAINS.length));
  return file === undefined || text === undefined ? undefined : { kind: 'file-contains', path: file, text };
};

/** Backslashes are refused, for on Windows they separate and could climb out. */
const relativePath = (written: string): string | undefined => {
  const text = written.trim();
  if (text === '' || text.includes('\\') || text.startsWith('/')) return undefined;
  const clean = path.posix.normalize(text);
  // A drive is looked for in the clean path: `./C:` is one too.
  return clean === '.' || clean === '..' || clean.startsWith('../') || /^[A-Za-z]:/u.test(clean) ? undefined : clean;
};

/** An empty text would hold for every file, so it proves nothing and is not read. */
const jsonString = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text.trim());
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
};
