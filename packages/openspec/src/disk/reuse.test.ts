import { link, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch, testDisk } from '../../fixtures/scratch.ts';

const TEXT = 'what is written now\n';

describe('[F9] a file that is written again', () => {
  it.each([
    ['longer', 'x'.repeat(9000)],
    ['shorter', 'x'],
    ['empty', ''],
  ])('keeps its place and nothing of what was in it before, which was %s', async (_, before) => {
    await using folder = await scratch({ spare: before });
    const spare = path.join(folder.root, 'spare');
    const { ino } = await stat(spare);
    using disk = testDisk(folder.root);
    await disk.reuse(spare, TEXT);
    expect(await folder.read('spare')).toBe(TEXT);
    expect((await stat(spare)).ino).toBe(ino);
  });

  it.each<[string, (spare: string, other: string) => Promise<unknown>]>([
    ['nothing', () => Promise.resolve()],
    ['a link to another file', (spare, other) => symlink(other, spare)],
    ['a second name of another file', (spare, other) => link(other, spare)],
    ['a folder', (spare) => mkdir(path.join(spare, 'deep'), { recursive: true })],
  ])('is a new one where %s stands in its place', async (_, make) => {
    await using folder = await scratch({ other: 'a text of somebody\n' });
    const [spare, other] = [path.join(folder.root, 'spare'), path.join(folder.root, 'other')];
    await make(spare, other);
    using disk = testDisk(folder.root);
    await disk.reuse(spare, TEXT);
    expect(await readFile(spare, 'utf8')).toBe(TEXT);
    expect((await stat(spare)).nlink).toBe(1);
    expect(await folder.read('other')).toBe('a text of somebody\n');
  });

  it('is a new one where somebody else made it, and we may not write to it', async () => {
    await using folder = await scratch({ spare: 'of another user\n' });
    const spare = path.join(folder.root, 'spare');
    await writeFile(spare, 'of another user\n', { mode: 0o444 });
    using disk = testDisk(folder.root);
    await disk.reuse(spare, TEXT);
    expect(await folder.read('spare')).toBe(TEXT);
  });
});
