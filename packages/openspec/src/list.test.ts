import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { ChangePage } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { listChanges } from './list.ts';
import { openChange } from './open.ts';
import type { Project } from './project.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');

const open = async (
  project: Project,
  slug: string,
  values: { owner?: string; template?: string } = {},
): Promise<void> => {
  clock.advance(1000);
  await openChange(project, {
    title: slug,
    slug,
    rationale: undefined,
    ttl: undefined,
    owner: values.owner,
    template: values.template,
  });
};

const slugs = async (project: Project, query: Parameters<typeof listChanges>[1] = {}): Promise<string[]> =>
  (await listChanges(project, query)).items.map(({ slug }) => slug);

describe('changes.active', () => {
  it('[T9.filters] [T9.page] [T9.paths] newest first; filters; archived ones with status all; absolute paths', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    await open(project, 'one', { owner: 'ada', template: 'chore' });
    await open(project, 'two', { owner: 'bob' });
    await open(project, 'three', { owner: 'ada', template: 'bugfix' });
    await archiveChange(project, { slug: 'two' });
    expect(await slugs(project)).toEqual(['three', 'one']);
    expect(await slugs(project, { status: 'all' })).toEqual(['three', 'two', 'one']);
    expect(await slugs(project, { owner: 'ada', template: 'chore' })).toEqual(['one']);
    expect(await slugs(project, { owner: 'nobody' })).toEqual([]);
    const page = await listChanges(project, { status: 'all' });
    expect(ChangePage.parse(page)).toEqual(page);
    expect(page.items.map(({ status }) => status)).toEqual(['draft', 'archived', 'draft']);
    expect(page.items[1]?.paths.root).toBe(path.join(folder.root, 'openspec/changes/archive/2026-11-20-two'));
    expect(await listChanges(await folder.open({ clock }), {})).toMatchObject({
      page: 1,
      pageSize: 50,
      total: 2,
      nextPageToken: null,
    });
  });

  it('[T9.token-wins] tokens neither repeat nor skip while changes come and go', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    for (const slug of ['aaa', 'bbb', 'ccc', 'ddd', 'eee']) await open(project, slug);
    const first = await listChanges(project, { limit: 2 });
    expect(first.items.map(({ slug }) => slug)).toEqual(['eee', 'ddd']);
    await open(project, 'fff');
    await archiveChange(project, { slug: 'ddd' });
    const second = await listChanges(project, { limit: 2, offset: 0, pageToken: first.nextPageToken ?? '' });
    expect(second.items.map(({ slug }) => slug)).toEqual(['ccc', 'bbb']);
    const third = await listChanges(project, { limit: 2, pageToken: second.nextPageToken ?? '' });
    expect([third.items.map(({ slug }) => slug), third.nextPageToken]).toEqual([['aaa'], null]);
    expect(await listChanges(project, { limit: 2, offset: 2 })).toMatchObject({
      page: 2,
      total: 5,
      items: [{ slug: 'ccc' }, { slug: 'bbb' }],
    });
    expect(await slugs(project, { offset: 99 })).toEqual([]);
    for (const pageToken of ['', '{}', 'bm9wZQ', '____']) {
      await expect(listChanges(project, { pageToken })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('[T9.token-wins] changes of the same instant are told apart by name', async () => {
    await using folder = await scratch(
      Object.fromEntries(
        ['c', 'a', 'b'].map((name) => [`openspec/changes/${name}/.openspec.yaml`, 'created: 2026-01-01\n']),
      ),
    );
    const project = await folder.open({ clock });
    const seen: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await listChanges(project, { limit: 1, pageToken });
      seen.push(...page.items.map(({ slug }) => slug));
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('[T16.fresh] is true to the files at every call, also after edits by others', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    expect(await slugs(project)).toEqual([]);
    await open(project, 'one');
    await folder.write({
      'openspec/changes/one/tasks.md': '- [x] 1.1 a\n- [ ] 1.2 b\n',
      'openspec/changes/MyChange_1/proposal.md': '# Change: Foreign name\n',
    });
    const { items } = await listChanges(project);
    expect(items.find(({ slug }) => slug === 'one')?.tasks).toEqual({ done: 1, total: 2 });
    expect(items.find(({ slug }) => slug === 'MyChange_1')).toMatchObject({
      title: 'Foreign name',
      tasks: { done: 0, total: 0 },
    });
  });

  it('[T9.page] one hostile change hides no other, and its links are not followed', async () => {
    await using outer = await scratch({
      'secret.md': '# Change: secret\n',
      'change/proposal.md': '# Change: secret\n',
    });
    await using folder = await scratch({
      'openspec/changes/bad/.openspec.yaml': '{{{ no yaml',
      'openspec/changes/big/tasks.md': '- [ ] x\n'.repeat(600_000),
      'openspec/changes/loop/a.md': '',
      'openspec/changes/.hidden/tasks.md': '- [ ] x\n',
      'openspec/changes/notes.md': 'no change',
    });
    const at = (name: string): string => path.join(folder.root, 'openspec/changes', name);
    await symlink(path.join(outer.root, 'secret.md'), at('bad/proposal.md'));
    await symlink(path.join(outer.root, 'change'), at('stolen'));
    await symlink('proposal.md', at('loop/proposal.md'));
    await symlink('nowhere', at('dangling'));
    const { items } = await listChanges(await folder.open());
    expect(new Map(items.map(({ slug, title }) => [slug, title]))).toEqual(
      new Map([
        ['bad', 'bad'],
        ['big', 'big'],
        ['loop', 'loop'],
      ]),
    );
  });
});
