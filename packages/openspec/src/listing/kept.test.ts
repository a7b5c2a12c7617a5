import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch, type Scratch } from '../../fixtures/scratch.ts';
import { archiveChange } from '../archive.ts';
import { listChanges } from '../list.ts';
import { openChange } from '../open.ts';
import { withCaller } from '../project.ts';
import { keepListing, type KeptProject } from './kept.ts';

const changesOf = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`openspec/changes/change-${index}/tasks.md`, '- [ ] 1.1 a\n']),
  );

const keep = async (folder: Scratch, options: Parameters<typeof keepListing>[1] = {}): Promise<KeptProject> =>
  keepListing(await folder.open(), options);

/** What the files say: the same listing by a process that keeps nothing. */
const expectTrue = async (folder: Scratch, project: KeptProject, what: string): Promise<void> => {
  for (const status of ['draft', 'all'] as const) {
    const kept = await listChanges(project, { status, limit: 200 });
    expect(kept, what).toEqual(await listChanges(await folder.open(), { status, limit: 200 }));
  }
};

const watchers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;

describe('a listing that is kept', () => {
  it.runIf(process.platform === 'linux')('says how it keeps true, and ends its watches', async () => {
    await using folder = await scratch(changesOf(3));
    const before = watchers();
    const project = await keep(folder);
    expect(watchers()).toBe(before);
    await listChanges(project);
    expect(project.listing.mode).toBe('watch');
    // Unreferenced handles are not told of, so the system is asked.
    expect(await inotifyWatches()).toBeGreaterThanOrEqual(4);
    await project[Symbol.asyncDispose]();
    expect(await inotifyWatches()).toBe(0);
    expect(project.listing.mode).toBe('direct');
    await expectTrue(folder, project, 'after its end');
    await using few = await keep(folder, { maxWatches: 2 });
    await listChanges(few);
    expect(few.listing.mode).toBe('sweep');
    await using none = await keep(folder, { maxRows: 2 });
    await listChanges(none);
    expect(none.listing.mode).toBe('direct');
  });

  it.each([{}, { maxWatches: 0 }, { maxWatches: 3 }, { maxRows: 1 }])(
    '[T16.fresh] shows every edit at the next call, with %j',
    async (options) => {
      await using folder = await scratch({ ...changesOf(2), 'outside.md': '- [x] 1.1 secret\n' });
      await using project = await keep(folder, options);
      await expectTrue(folder, project, 'first');
      const at = (name: string): string => path.join(folder.root, 'openspec/changes', name);
      const edits: [string, () => Promise<unknown>][] = [
        ['in place', () => writeFile(at('change-0/tasks.md'), '- [x] 1.1 a\n')],
        ['in place, same size and time', () => sameTime(at('change-0/tasks.md'), '- [ ] 1.1 a\n')],
        ['new file', () => folder.write({ 'openspec/changes/change-0/specs/deep/er/spec.md': 'x' })],
        ['deep', () => utimes(at('change-0/specs/deep/er/spec.md'), 1, 4e9)],
        ['new change', () => folder.write({ 'openspec/changes/new-one/proposal.md': '# Change: New\n' })],
        ['order', () => writeFile(at('change-1/.openspec.yaml'), 'created: 2031-01-01\nowner: ada\n')],
        ['moved', () => rename(at('change-0'), at('change-9'))],
        ['moved back', () => rename(at('change-9'), at('change-0'))],
        ['gone', () => rm(at('new-one'), { recursive: true })],
        ['link inside', () => symlink('../change-0', at('change-1/specs'))],
        ['linked change', () => symlink('change-0', at('linked'))],
        ['behind the link', () => writeFile(at('change-0/tasks.md'), '- [x] 1.1 b\n- [x] 1.2 b\n')],
        ['linked file', () => linkShared(folder, at('change-1/tasks.md'))],
        ['behind that link', () => folder.write({ 'openspec/shared.md': '- [x] 1.1 s\n' })],
        ['link outside', () => symlink('../../../outside.md', at('change-1/proposal.md'))],
        ['all new', async () => rename(path.dirname(at('x')), path.join(folder.root, 'openspec/old'))],
        ['and back', async () => rename(path.join(folder.root, 'openspec/old'), path.dirname(at('x')))],
        ['no openspec', async () => rename(path.join(folder.root, 'openspec'), path.join(folder.root, 'o'))],
        ['openspec again', async () => rename(path.join(folder.root, 'o'), path.join(folder.root, 'openspec'))],
      ];
      for (const [what, edit] of edits) {
        await edit();
        await expectTrue(folder, project, what);
      }
    },
  );

  it('[T16.fresh] shows edits that come quicker than the clock of the files', async () => {
    await using folder = await scratch(changesOf(1));
    await using project = await keep(folder, { maxWatches: 0 });
    for (let count = 0; count < 60; count += 1) {
      const isDone = count % 2 === 0;
      writeFileSync(path.join(folder.root, 'openspec/changes/change-0/tasks.md'), `- [${isDone ? 'x' : ' '}] 1.1 a\n`);
      expect((await listChanges(project)).items[0]?.tasks.done, `edit ${count}`).toBe(isDone ? 1 : 0);
    }
  });

  it('[T16.fresh] [T8.listings] shows what its own process does, to every caller', async () => {
    await using folder = await scratch();
    const clock = fixedClock('2026-11-20T12:00:00.000Z');
    await using project = keepListing(await folder.open({ clock }));
    expect((await listChanges(project)).total).toBe(0);
    for (let count = 0; count < 5; count += 1) {
      await openChange(project, { ...NO_OPTIONS, slug: `change-${count}`, title: 'T' });
      expect((await listChanges(withCaller(project, { caller: 'eve' }))).total).toBe(count + 1);
    }
    await archiveChange(project, { slug: 'change-0' });
    await expectTrue(folder, project, 'archived');
  });

  const onLinux = it.runIf(process.platform === 'linux');
  onLinux('[T16.fresh] misses nothing when the queue of events overflows', { timeout: 60_000 }, async () => {
    await using folder = await scratch(changesOf(12));
    await using project = await keep(folder);
    await listChanges(project);
    const flood = `
      const fs = require('node:fs'); process.chdir(process.argv[1]);
      for (let i = 0; i < 24000; i += 1) fs.writeFileSync('change-' + (i % 2) + '/tasks.md', '- [ ] ' + i);
      fs.writeFileSync('change-7/tasks.md', '- [x] 1.1 late'); fs.mkdirSync('change-late');
    `;
    // The event loop stands still meanwhile, so the queue is as long as the system allows, and the end is lost.
    spawnSync(process.execPath, ['-e', flood, path.join(folder.root, 'openspec/changes')], {
      stdio: 'inherit',
    });
    await expectTrue(folder, project, 'flood');
    await folder.write({ 'openspec/changes/change-late/tasks.md': '- [x] a\n' });
    await expectTrue(folder, project, 'after the flood');
  });

  it('answers many callers at once', async () => {
    await using folder = await scratch(changesOf(40));
    await using project = await keep(folder);
    const pages = await Promise.all(Array.from({ length: 20 }, () => listChanges(project, { limit: 200 })));
    expect(new Set(pages.map(({ items }) => items.length))).toEqual(new Set([40]));
    const [first, second] = pages;
    Object.assign(first?.items[0]?.tasks ?? {}, { done: 99 });
    expect(second?.items[0]?.tasks.done).toBe(0);
  });
});

const NO_OPTIONS = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };

const linkShared = async (folder: Scratch, file: string): Promise<void> => {
  await folder.write({ 'openspec/shared.md': '- [ ] 1.1 s\n' });
  await rm(file);
  await symlink('../../shared.md', file);
};

const sameTime = async (file: string, text: string): Promise<void> => {
  await utimes(file, 1000, 1000);
  await writeFile(file, text);
  await utimes(file, 1000, 1000);
};

/** Watches that this process holds, as the kernel counts them. */
const inotifyWatches = async (): Promise<number> => {
  const texts = await Promise.all(
    (await readdir('/proc/self/fdinfo')).map((fd) => readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '')),
  );
  return texts.join('\n').match(/^inotify wd:/gmu)?.length ?? 0;
};
