import { describe, expect, it } from 'vitest';
import { leftovers, START, visible } from '../fixtures/before.ts';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { sha256 } from './digest.ts';
import { thisProcess } from './disk/process-mark.ts';
import { listChanges } from './list.ts';
import { openChange } from './open.ts';
import { tickTask } from './tick.ts';
import { unarchiveChange } from './unarchive.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const INTENT = '{"format":3,"steps":["something that we do not know"]}';
const NONE = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };

/** What a newer version left behind, each as this one would meet it. */
const NEWER: Readonly<Record<string, Record<string, string>>> = {
  'an intent': { 'openspec/.task-mcp/journal/x.json': `${INTENT}\n${sha256(INTENT)}\n` },
  'a lock': { 'openspec/.task-mcp/lock/held-9': JSON.stringify({ ...thisProcess(), format: 2 }) },
  'a lock of another shape': { 'openspec/.task-mcp/lock/held-9': '{"format":3,"holders":["a"]}' },
};

describe('[F16] files of a newer version', () => {
  it.each(Object.entries(NEWER))(
    '%s: every change of files is refused, nothing is touched, reading goes on',
    async (_, files) => {
      await using folder = await scratch({ ...START, ...files });
      const project = await folder.open({ clock });
      const before = await visible(folder);
      const operations = [
        openChange(project, { ...NONE, slug: 'new-one', title: 'New one' }),
        tickTask(project, 'add-it', '1.1'),
        archiveChange(project, { slug: 'add-it', allowIncomplete: true }),
        unarchiveChange(project, { slug: 'done' }),
      ];
      for (const end of await Promise.allSettled(operations)) {
        expect(end).toMatchObject({
          status: 'rejected',
          reason: { code: 'STORAGE_NEWER', message: expect.stringMatching(/newer version/u) as string },
        });
      }
      expect(await visible(folder)).toEqual(before);
      for (const [name, text] of Object.entries(files)) expect(await folder.read(name)).toBe(text);
      expect((await listChanges(project)).total).toBe(3);
    },
  );

  it('a record of how to take an archive back is refused, not misread', async () => {
    const record = { 'openspec/changes/archive/2026-11-19-done/.undo.json': '{"format":2,"slug":"done"}' };
    await using folder = await scratch({ ...START, ...record });
    await expect(unarchiveChange(await folder.open({ clock }), { slug: 'done' })).rejects.toMatchObject({
      code: 'STORAGE_NEWER',
    });
    expect(await leftovers(folder)).toEqual([]);
  });

  it('a damaged intent that only looks newer does not stop the work', async () => {
    await using folder = await scratch({ ...START, 'openspec/.task-mcp/journal/x.json': `${INTENT}\n` });
    await tickTask(await folder.open({ clock }), 'add-it', '1.1');
    expect(await leftovers(folder)).toEqual([expect.stringContaining('x.json')]);
  });
});
