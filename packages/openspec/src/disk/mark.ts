import { randomUUID } from 'node:crypto';
import { linkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Anchors } from './anchors.ts';
import { errnoOf } from './errno.ts';

/** What the files that marks are names of are called: this, and the number of the process that made them. */
export const CANDIDATE = 'new-';

/**
 * Files of this process by folder and text. A process marks the same text again and again; another name for a file costs
 * a tenth of a file. Whoever finds one of a dead process takes it away.
 */
const candidates = new Map<string, string>();
/** A process works in a handful of projects. */
const MAX_CANDIDATES = 100;

export const linkMark = (anchors: Anchors, target: string, text: string): void => {
  const key = JSON.stringify([path.dirname(target), text]);
  const known = candidates.get(key);
  if (known !== undefined && tryLink(anchors, known, target)) return;
  if (candidates.size >= MAX_CANDIDATES) candidates.clear();
  const made = path.join(path.dirname(target), `${CANDIDATE}${process.pid}-${randomUUID()}`);
  writeFileSync(anchors.at(made), text, { flag: 'wx', mode: 0o644 });
  candidates.set(key, made);
  linkSync(anchors.at(made), anchors.at(target));
};

/** False where the file is gone, with its whole folder, or because somebody took this process for dead. */
const tryLink = (anchors: Anchors, existing: string, target: string): boolean => {
  try {
    linkSync(anchors.at(existing), anchors.at(target));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
};
