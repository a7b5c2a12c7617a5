import { describe, expect, it } from 'vitest';
import { scratch } from '../fixtures/scratch.ts';
import { decodedText } from './disk/decoded.ts';
import { remembered } from './grammar/remembered.ts';
import { listChanges } from './list.ts';
import { keepListing } from './listing/kept.ts';
import { templateNamed } from './template/template.ts';

describe('[T16.caches] what is kept in memory', () => {
  it('texts that were read: the last few, fewer of large ones, and none that is very large', () => {
    let reads = 0;
    const lengthOf = remembered((text: string) => {
      reads += 1;
      return { length: text.length };
    });
    const first = lengthOf('a');
    expect(lengthOf('a')).toBe(first);
    expect(reads).toBe(1);
    for (let count = 0; count < 256; count += 1) lengthOf(`b${count}`);
    expect(lengthOf('a')).toEqual({ length: 1 });
    expect(reads).toBe(258);
    const large = Array.from({ length: 6 }, (_, index) => String(index).repeat(250_000));
    for (const text of large) lengthOf(text);
    expect(reads).toBe(264);
    expect(large.slice(2).map((text) => lengthOf(text).length)).toEqual(Array.from({ length: 4 }, () => 250_000));
    expect(reads).toBe(264);
    lengthOf(large[1] ?? '');
    expect(reads).toBe(265);
    const long = 'x'.repeat(300_000);
    expect([lengthOf(long).length, lengthOf(long).length]).toEqual([300_000, 300_000]);
    expect(reads).toBe(267);
  });

  it('bytes of files that were read: what they are now counts, never what they were', () => {
    const text = 'ä'.repeat(4000);
    expect(decodedText('/a', Buffer.from(text))).toBe(text);
    expect(decodedText('/a', Buffer.from(text))).toBe(text);
    const other = `${text.slice(1)}ö`;
    expect(decodedText('/a', Buffer.from(other))).toBe(other);
    expect(decodedText('/a', Buffer.concat([Buffer.from(text).subarray(1), Buffer.from('a')]))).toBeUndefined();
    expect(decodedText('/a', Buffer.from(text))).toBe(text);
    for (let count = 0; count < 1000; count += 1) decodedText(`/${count}`, Buffer.from(text));
    expect(decodedText('/a', Buffer.from(other))).toBe(other);
  });

  it('changes: as many as the bound says, beyond it the files are read', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [`openspec/changes/change-${index}/tasks.md`, '- [ ] 1.1 a\n']),
    );
    await using folder = await scratch(files);
    await using kept = keepListing(await folder.open(), { maxRows: 8 });
    expect((await listChanges(kept)).total).toBe(6);
    expect(kept.listing.mode).not.toBe('direct');
    await folder.write({
      'openspec/changes/more-1/tasks.md': '',
      'openspec/changes/more-2/tasks.md': '',
      'openspec/changes/more-3/tasks.md': '',
    });
    expect((await listChanges(kept)).total).toBe(9);
    expect(kept.listing.mode).toBe('direct');
  });

  it('schemas: a hundred of them, each as its file says now', async () => {
    for (let count = 0; count < 100; count += 1) {
      const name = `tasks-${count}.md`;
      await using folder = await scratch({
        'openspec/config.yaml': 'schema: own\n',
        'openspec/schemas/own/schema.yaml': `artifacts:\n  - id: tasks\n    generates: ${name}\n`,
        [`openspec/changes/one/${name}`]: '- [x] 1.1 a\n',
      });
      expect((await listChanges(await folder.open())).items[0]?.tasks).toEqual({ done: 1, total: 1 });
    }
  });

  it('templates: three, which are part of the program', () => {
    expect(['feature', 'bugfix', 'chore'].map(templateNamed)).toEqual(['feature', 'bugfix', 'chore']);
  });
});
