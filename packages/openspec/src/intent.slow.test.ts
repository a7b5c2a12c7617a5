import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOperation, START, visible } from '../fixtures/before.ts';
import { Crash, dropLock, faultyDisk } from '../fixtures/faulty-disk.ts';
import { fixedClock, scratch, type Scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { parseIntent } from './intent.ts';
import { listChanges } from './list.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const JOURNAL = 'openspec/.task-mcp/journal';

/** A project whose archive was cut off as soon as its intent was durable; gives the file of the intent. */
const begun = async (folder: Scratch): Promise<string> => {
  for (let at = 1; ; at += 1) {
    const project = await folder.open({ clock, disk: faultyDisk(at, 'crash') });
    const end = await archiveChange(project, { slug: 'add-it', allowIncomplete: true }).catch(
      (error: unknown) => error,
    );
    await dropLock(folder.root);
    const [name] = await readdir(path.join(folder.root, JOURNAL)).catch((): string[] => []);
    if (name !== undefined) return path.join(folder.root, JOURNAL, name);
    if (!(end instanceof Crash)) throw new Error('the archive was never cut off with an intent');
  }
};

describe('[F15] an intent that was damaged', { timeout: 240_000 }, () => {
  it('is none: every truncation and 2,000 flipped bits', async () => {
    await using folder = await scratch(START);
    const bytes = await readFile(await begun(folder));
    expect(parseIntent(bytes.toString('utf8'))).toMatchObject({ op: 'archive', slug: 'add-it' });
    const end = endOf(bytes);
    for (let length = 0; length < end; length += 1) {
      expect(parseIntent(bytes.subarray(0, length).toString('utf8')), `${length} bytes`).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.nat(end * 8 - 1), (bit) => {
        expect(parseIntent(flipped(bytes, bit).toString('utf8'))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('is put aside and told; nothing crashes, and the other changes are served', async () => {
    await using folder = await scratch(START);
    const file = await begun(folder);
    const bytes = await readFile(file);
    const before = await visible(folder);
    const end = endOf(bytes);
    const damaged = [
      ...Array.from({ length: 100 }, (_, index) => bytes.subarray(0, Math.floor((index * end) / 100))),
      ...Array.from({ length: 150 }, (_, index) => flipped(bytes, (index * 7919) % (end * 8))),
      Buffer.from('null\n'),
      Buffer.alloc(100),
    ];
    let told = 0;
    for (const text of damaged) {
      await writeFile(file, text);
      await nextOperation(folder);
      expect(await visible(folder)).toEqual(before);
      const page = await listChanges(await folder.open({ clock }));
      expect(page.total).toBe(3);
      told = Number(/(\d+) record/u.exec(page.warnings?.join('\n') ?? '')?.[1]);
    }
    expect(told).toBe(damaged.length);
    // The change that was about to be archived is as it was, and can be.
    await archiveChange(await folder.open({ clock }), { slug: 'add-it', allowIncomplete: true });
  });
});

/** Empty lines fill the last block, and say nothing. */
const endOf = (bytes: Buffer): number => bytes.toString('latin1').trimEnd().length;

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
};
