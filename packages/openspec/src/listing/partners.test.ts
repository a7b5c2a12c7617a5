import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch, type Scratch } from '../../fixtures/scratch.ts';
import { added, changeOf, modified, requirement, specOf } from '../../fixtures/texts.ts';
import { archiveChange } from '../archive.ts';
import { listChanges } from '../list.ts';
import type { Project } from '../project.ts';
import { keepListing } from './kept.ts';

const MODES: Readonly<Record<string, (project: Project) => Project & Partial<AsyncDisposable>>> = {
  'straight from the files': (project) => project,
  'from the index': (project) => keepListing(project),
};

const start = async (): Promise<Scratch> =>
  scratch({
    'openspec/specs/cap/spec.md': specOf(requirement('A'), requirement('B')),
    ...changeOf('one', { cap: modified(requirement('A', 'one way')), 'area/deep': added(requirement('N')) }),
    ...changeOf('two', { cap: modified(requirement('B', 'two ways')) }),
    ...changeOf('three', { 'area/deep': added(requirement('n')), cap: added(requirement('C')) }),
    'openspec/changes/four/specs/spec.md': modified(requirement('A')),
  });

describe.each(Object.entries(MODES))('[X4.overlaps] a listing %s', (_, modeOf) => {
  it('names the other changes of one requirement, and only while there are some', async () => {
    await using folder = await start();
    const project = modeOf(await folder.open());
    const overlaps = async (query = {}): Promise<Record<string, unknown>> => {
      const { items } = await listChanges(project, query);
      return Object.fromEntries(items.map((item) => [item.slug, item.overlapsWith]));
    };
    const before = { one: ['three'], two: undefined, three: ['one'], four: undefined };
    expect(await overlaps()).toEqual(before);
    expect((await listChanges(project)).items.filter((item) => 'overlapsWith' in item)).toHaveLength(2);
    // The second edit of a requirement shows at once, whoever made it.
    await folder.write(changeOf('two', { cap: modified(requirement('A', 'two ways')) }));
    expect(await overlaps()).toEqual({ ...before, one: ['three', 'two'], two: ['one'] });
    // Also where a filter or a page shows only one of them.
    expect(await overlaps({ limit: 1, offset: 3 })).toEqual(
      Object.fromEntries(Object.entries(await overlaps()).slice(3)),
    );
    await archiveChange(project, { slug: 'one' });
    expect(await overlaps({ status: 'all' })).toEqual({
      one: undefined,
      two: undefined,
      three: undefined,
      four: undefined,
    });
    await folder.write(changeOf('five', { cap: added(requirement('C')) }));
    expect(await overlaps()).toMatchObject({ three: ['five'], five: ['three'] });
    await rm(path.join(folder.root, 'openspec/changes/five'), { recursive: true });
    expect(await overlaps()).toEqual({ two: undefined, three: undefined, four: undefined });
    await project[Symbol.asyncDispose]?.();
  });

  it('is the same at every call, whatever callers do with it and however many meet', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${String(index).padStart(2, '0')}`);
    await using folder = await scratch({
      'openspec/specs/cap/spec.md': specOf(requirement('A'), requirement('B')),
      ...Object.fromEntries(
        names.flatMap((name) => Object.entries(changeOf(name, { cap: modified(requirement('A', name)) }))),
      ),
      ...changeOf('pair-1', { cap: modified(requirement('B', 'one way')) }),
      ...changeOf('pair-2', { cap: modified(requirement('B', 'two ways')) }),
    });
    const project = modeOf(await folder.open());
    const expected = {
      ...Object.fromEntries(names.map((name) => [name, names.filter((other) => other !== name)])),
      'pair-1': ['pair-2'],
      'pair-2': ['pair-1'],
    };
    for (let round = 0; round < 3; round += 1) {
      const { items } = await listChanges(project);
      expect(Object.fromEntries(items.map(({ slug, overlapsWith }) => [slug, overlapsWith]))).toEqual(expected);
      for (const { overlapsWith } of items) overlapsWith?.splice(0, overlapsWith.length, 'spoilt');
    }
    await folder.write(changeOf('pair-2', { cap: modified(requirement('A', 'two ways')) }));
    const { items } = await listChanges(project);
    const first = items.find(({ slug }) => slug === 'many-00');
    expect(first?.overlapsWith).toEqual([...names.slice(1), 'pair-2']);
    expect(items.find(({ slug }) => slug === 'pair-1')).not.toHaveProperty('overlapsWith');
    await project[Symbol.asyncDispose]?.();
  });
});
