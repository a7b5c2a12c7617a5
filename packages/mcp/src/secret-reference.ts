import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { SecretStore } from './secret-store.ts';

/** Longer than any token or key. */
const MAX_BYTES = 8192;

export interface SecretSources {
  /** A variable of our own environment. */
  readonly variable: (name: string) => string | undefined;
  /** Relative files are found from here. */
  readonly folder: string;
  /** What is sealed. */
  readonly store?: SecretStore | undefined;
}

/**
 * Looks a value up: `env:NAME` is a variable, `file:PATH` the first line of a file, `secret:ID` what is sealed under that id,
 * `text:` keeps what follows, and everything else is the value itself. Throws SECRET_NOT_FOUND and SECRET_UNREADABLE, which
 * name the reference and never a value.
 */
export const resolveReference = async (text: string, sources: SecretSources): Promise<string> => {
  if (text.startsWith('text:')) return text.slice('text:'.length);
  if (text.startsWith('env:')) {
    const value = sources.variable(text.slice('env:'.length));
    if (value === undefined || value === '') throw missing(text);
    return value;
  }
  if (text.startsWith('file:')) return firstLine(text, resolve(sources.folder, text.slice('file:'.length)));
  if (text.startsWith('secret:')) {
    if (sources.store === undefined) throw missing(text);
    return sources.store.get(text.slice('secret:'.length));
  }
  return text;
};

const firstLine = async (reference: string, file: string): Promise<string> => {
  try {
    // Not `using`: the bundle of the command line keeps it as it is, and Node 20 does not know it.
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      const [line = ''] = buffer.toString('utf8', 0, bytesRead).split(/\r?\n/u);
      if (line === '') throw missing(reference);
      return line;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof CloutError) throw cause;
    throw missing(reference, cause);
  }
};

const missing = (reference: string, cause?: unknown): CloutError =>
  new CloutError('SECRET_NOT_FOUND', `There is nothing at ${reference}`, { details: { reference }, cause });
