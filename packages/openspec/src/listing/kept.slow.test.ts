import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../fixtures/scratch.ts';
import { listChanges } from '../list.ts';
import { keepListing, type ListingBounds } from './kept.ts';

const EDITOR = fileURLToPath(new URL('../../fixtures/editor.mjs', import.meta.url));

/** Reads after random edits of another process; each is compared with what the files say. */
const staleReads = async (edits: number, seed: number, bounds: ListingBounds): Promise<number> => {
  await using folder = await scratch({ 'openspec/changes/first/tasks.md': '- [ ] a\n' });
  const editor = spawn(process.execPath, [EDITOR, path.join(folder.root, 'openspec'), String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(editor, 'exit');
  await using project = keepListing(await folder.open(), bounds);
  const direct = await folder.open();
  const query = { status: 'all', limit: 200 } as const;
  await listChanges(project, query);
  const told = readline.createInterface({ input: editor.stdout })[Symbol.asyncIterator]();
  let stale = 0;
  for (let count = 0; count < edits; count += 1) {
    editor.stdin.write('\n');
    await told.next();
    const kept = await listChanges(project, query);
    if (JSON.stringify(kept) !== JSON.stringify(await listChanges(direct, query))) stale += 1;
  }
  editor.stdin.end();
  expect(await ended).toEqual([0, null]);
  return stale;
};

describe('[T16.fresh] a second process edits, the next call shows it', { timeout: 240_000 }, () => {
  it('2,000 edits, watched: no stale read', async () => {
    expect(await staleReads(2000, 7, {})).toBe(0);
  });

  it.each([{ maxWatches: 0 }, { maxWatches: 9 }])('500 edits with %j: no stale read', async (bounds) => {
    expect(await staleReads(500, 11, bounds)).toBe(0);
  });
});
