import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch, type Scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { openChange } from './open.ts';
import type { Project } from './project.ts';
import { listResources, readResource } from './resource.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');

const prepare = async (): Promise<Scratch & { readonly project: Project }> => {
  const folder = await scratch({ 'openspec/secret.md': 'CANARY', 'secret.md': 'CANARY' });
  const project = await folder.open({ clock });
  for (const slug of ['one', 'two', 'old']) {
    await openChange(project, {
      title: slug,
      slug,
      rationale: undefined,
      owner: undefined,
      ttl: undefined,
      template: 'chore',
    });
  }
  await folder.write({ 'openspec/changes/two/specs/area/cap/spec.md': '## REMOVED Requirements\n' });
  await archiveChange(project, { slug: 'old' });
  return { ...folder, project };
};

const codeAt = async (project: Project, uri: string): Promise<string | undefined> =>
  readResource(project, uri).then(() => 'read', codeOf);

describe('resources', () => {
  it('[T11.change] [T11.task-alias] [T11.delta-alias] reads every address of the seed, with and without @task:', async () => {
    await using folder = await prepare();
    const { project } = folder;
    for (const [uri, start] of [
      ['change://one/proposal', '# Change: one'],
      ['@task:change://one/tasks', '## 1. Assess'],
      ['@task:change://one/delta/spec.md', '## Purpose'],
      ['change://one/delta/spec', '## Purpose'],
      ['change://one/delta/one/spec.md', '## Purpose'],
      ['change://two/delta/area/cap/spec.md', '## REMOVED'],
    ] as const) {
      const resource = await readResource(project, uri);
      expect(resource).toMatchObject({ uri, mimeType: 'text/markdown' });
      expect(resource.text.startsWith(start)).toBe(true);
    }
    for (const uri of [
      'change://two/delta/spec.md',
      'change://old/proposal',
      'change://none/tasks',
      'change://one',
      'change://one/',
      'change://one/design',
      'x://y',
      '',
      'changes://',
      'changes://archived/one',
      'changes://archived/',
    ]) {
      expect(await codeAt(project, uri), uri).toBe('RESOURCE_NOT_FOUND');
    }
  });

  it('[T11.active] [T11.archived] answers listings and archives as JSON', async () => {
    await using folder = await prepare();
    const { project } = folder;
    const json = async (uri: string): Promise<unknown> =>
      JSON.parse((await readResource(project, uri)).text) as unknown;
    expect(await json('changes://active')).toMatchObject({ page: 1, total: 2, nextPageToken: null });
    expect(await json('@task:changes://active/list')).toEqual(await json('changes://active'));
    expect(await json('changes://active?page=2&limit=1')).toMatchObject({ page: 2, pageSize: 1, items: [{}] });
    expect(await json('changes://active?status=all&offset=2')).toMatchObject({ total: 3, items: [{}] });
    expect(await json('changes://active?template=feature')).toMatchObject({ total: 0 });
    expect(await json('changes://archived/old')).toMatchObject({
      slug: 'old',
      archivedAt: '2026-11-20T12:00:00.000Z',
      path: 'openspec/changes/archive/2026-11-20-old',
      receipt: { slug: 'old', ledger: 'absent' },
      totals: { specs: 0, added: 0 },
    });
    const first = readResource(project, 'changes://active?page=0');
    await expect(first).rejects.toThrow('page: must be a whole number from 1');
    for (const query of ['limit=0', 'limit=x', 'page=0', 'status=open', 'template=epic', 'pageToken=x']) {
      expect(await codeAt(project, `changes://active?${query}`), query).toBe('INVALID_INPUT');
    }
  });

  it('[T11.listed] lists what can be read, page by page', async () => {
    await using folder = await prepare();
    const { project } = folder;
    const all: string[] = [];
    for (let offset: number | null = 0; offset !== null;) {
      const page: Awaited<ReturnType<typeof listResources>> = await listResources(project, { offset, limit: 3 });
      all.push(...page.items.map(({ uri }) => uri));
      offset = page.nextOffset;
    }
    expect(new Set(all).size).toBe(8);
    for (const uri of all) expect(await codeAt(project, uri), uri).toBe('read');
  });

  it('[T6.traversal] nothing outside of a change can be read', async () => {
    await using folder = await prepare();
    const { project } = folder;
    await symlink(
      path.join(folder.root, 'secret.md'),
      path.join(folder.root, 'openspec/changes/one/specs/one/link.md'),
    );
    const part = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '%2e%2e',
      '%2f',
      '%252e',
      '\0',
      '%00',
      'secret.md',
      'one',
      'delta',
      'specs',
      'spec.md',
      'openspec',
      'archive',
      '//',
      '..;',
      'proposal',
      ' ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 7 }), async (parts) => {
        const uri = `change://${parts.join('')}`;
        const text = await readResource(project, uri).then((resource) => resource.text, codeOf);
        expect(text).not.toContain('CANARY');
        expect(text).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('[T6.traversal] a linked proposal that leads out is refused, one that stays inside is read', async () => {
    await using folder = await prepare();
    const { project } = folder;
    await folder.write({ 'openspec/changes/ext/tasks.md': '', 'openspec/changes/int/tasks.md': '' });
    await symlink(path.join(folder.root, 'secret.md'), path.join(folder.root, 'openspec/changes/ext/proposal.md'));
    await symlink('../one/proposal.md', path.join(folder.root, 'openspec/changes/int/proposal.md'));
    expect(await codeAt(project, 'change://ext/proposal')).toBe('FORBIDDEN');
    expect(await codeAt(project, 'change://int/proposal')).toBe('read');
  });
});
