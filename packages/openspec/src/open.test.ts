import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ChangeOpenInput } from '@cloutagent/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { readChange } from './detail.ts';
import { openChange } from './open.ts';
import { withCaller } from './project.ts';
import { tickTask } from './tick.ts';
import { validateChange } from './validate.ts';

const input = (values: Partial<ChangeOpenInput> = {}): ChangeOpenInput => ({
  title: 'Add login',
  slug: 'add-login',
  rationale: undefined,
  owner: undefined,
  ttl: undefined,
  template: undefined,
  ...values,
});

describe('change.open', () => {
  it.each([
    ['feature', 5, '## Out of Scope'],
    ['bugfix', 4, '## Investigation'],
    ['chore', 4, '## Risk Assessment'],
  ])(
    '[T6.template-feature] [T6.template-bugfix] [T6.template-chore] [T6.valid] %s gives valid files',
    async (template, phases, mark) => {
      await using folder = await scratch();
      const project = await folder.open();
      const { change, resumed, files } = await openChange(project, input({ template, rationale: 'Because.\r\nYes.' }));
      expect(resumed).toBe(false);
      expect(files).toEqual(['proposal.md', 'tasks.md', 'specs/add-login/spec.md']);
      expect(change).toMatchObject({ slug: 'add-login', title: 'Add login', status: 'draft', template });
      expect(change.paths.root).toBe(path.join(folder.root, 'openspec/changes/add-login'));
      const detail = await readChange(project, 'add-login');
      expect(detail.proposal).toContain(mark);
      expect(detail.proposal).toContain('Because.\nYes.');
      expect(new Set(detail.taskList.map(({ group }) => group)).size).toBe(phases);
      expect(await validateChange(project, 'add-login', { strict: true })).toMatchObject({ valid: true, issues: [] });
    },
  );

  it('[T6.valid] stays valid for whatever title and rationale', async () => {
    await using folder = await scratch();
    const project = await folder.open();
    const text = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.constantFrom(
        'a\n## ADDED Requirements\n',
        '### Requirement: x ###',
        '```',
        '<!--',
        '\u2028x',
        '# #',
        '---\nx: 1',
        '- [ ] 1.1',
      ),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        fc.constantFrom('feature', 'bugfix', 'chore'),
        async (title, rationale, template) => {
          fc.pre(title.replaceAll(/[\s\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, '') !== '');
          count += 1;
          const slug = `change-${count}`;
          const { change } = await openChange(project, input({ title, slug, rationale, template }));
          expect(change.title).not.toMatch(/[\n\r]/u);
          expect((await readChange(project, slug)).taskList.every(({ done }) => !done)).toBe(true);
          expect((await validateChange(project, slug, { strict: true })).issues).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    'archive',
    'a--b',
    'con',
    'nul',
    'com1',
    'lpt9',
    'constructor',
    'prototype',
    'valueof',
    '../x',
    'a/b',
    'ab',
    'A-b-c',
    'abc\n',
    `a${'b'.repeat(64)}`,
    '',
    '-ab',
    'a\0b',
  ])('[T6.reserved] [T6.traversal] %j is refused', async (slug) => {
    await using folder = await scratch();
    const opening = openChange(await folder.open(), input({ slug }));
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { field: 'slug' } });
    expect(await readdir(folder.root)).toEqual([]);
  });

  it('an unknown template is TEMPLATE_NOT_FOUND, a blank title INVALID_INPUT', async () => {
    await using folder = await scratch();
    const project = await folder.open();
    await expect(openChange(project, input({ template: 'epic' }))).rejects.toMatchObject({
      code: 'TEMPLATE_NOT_FOUND',
    });
    await expect(openChange(project, input({ title: ' \n\0' }))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('[T6.exists] one of many at the same instant wins', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock: fixedClock('2026-11-20T12:00:00.000Z') });
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => openChange(project, input())));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all) {
      if (one.status !== 'rejected') continue;
      expect(one.reason).toMatchObject({
        code: 'CHANGE_ALREADY_EXISTS',
        details: { existing_slug: 'add-login', existing_status: 'draft', created_at: '2026-11-20T12:00:00.000Z' },
      });
    }
  });

  it('[T6.exists] nothing that stands there already is replaced', async () => {
    await using folder = await scratch({ 'openspec/changes/add-login/mine.md': 'mine' });
    const before = await folder.tree();
    await expect(openChange(await folder.open(), input({ owner: 'ada' }))).rejects.toMatchObject({
      code: 'CHANGE_ALREADY_EXISTS',
    });
    expect(await folder.tree()).toEqual(before);
  });
});

describe('leases', () => {
  it('[T6.resumed] [T7.lease] [T7.locked] [T7.expiry] the same owner renews, others are told who and until when, the end frees', async () => {
    await using folder = await scratch();
    const clock = fixedClock('2026-11-20T12:00:00.000Z');
    const project = await folder.open({ clock, caller: 'process' });
    await openChange(project, input({ owner: 'team', ttl: 120 }));
    clock.advance(100_000);
    const again = await openChange(project, input({ owner: 'team', title: 'Other', ttl: 60 }));
    expect(again).toMatchObject({ resumed: true, change: { title: 'Add login', owner: 'team' } });
    clock.advance(59_000);
    const other = withCaller(project, { caller: 'eve' });
    const locked = {
      code: 'CHANGE_LOCKED',
      retryAfter: 1,
      details: { owner: 'team', expires_at: '2026-11-20T12:02:40.000Z' },
    };
    await expect(openChange(other, input())).rejects.toMatchObject(locked);
    await expect(tickTask(other, 'add-login', '1.1')).rejects.toMatchObject(locked);
    await tickTask(withCaller(project, { caller: 'team' }), 'add-login', '1.1');
    clock.advance(1000);
    await tickTask(other, 'add-login', '1.2');
    await expect(openChange(other, input())).rejects.toMatchObject({ code: 'CHANGE_ALREADY_EXISTS' });
  });

  it('[T7.caller] the token that took a lease holds it without naming the owner', async () => {
    await using folder = await scratch();
    const project = await folder.open({ caller: 'http', tokenId: 'abc' });
    await openChange(project, input({ owner: 'team' }));
    await tickTask(project, 'add-login', '1.1');
    expect(await openChange(project, input())).toMatchObject({ resumed: true, change: { owner: 'team' } });
    const stranger = withCaller(project, { caller: 'http', tokenId: 'def' });
    await expect(tickTask(stranger, 'add-login', '1.2')).rejects.toMatchObject({ code: 'CHANGE_LOCKED' });
  });

  it('[T7.caller] [T7.locked] a second owner behind the same token is told who holds it', async () => {
    await using folder = await scratch();
    const clock = fixedClock('2026-11-20T12:00:00.000Z');
    const project = await folder.open({ clock, caller: 'http', tokenId: 'abc' });
    await openChange(project, input({ owner: 'ada', ttl: 60 }));
    const refusal = { code: 'CHANGE_LOCKED', details: { owner: 'ada', expires_at: '2026-11-20T12:01:00.000Z' } };
    await expect(openChange(project, input({ owner: 'bob' }))).rejects.toMatchObject(refusal);
    expect(await openChange(project, input({ owner: 'ada' }))).toMatchObject({ resumed: true });
    // Its end frees the change for work, but hands it to nobody.
    clock.advance(60_000);
    await expect(openChange(project, input({ owner: 'bob' }))).rejects.toMatchObject({ code: 'CHANGE_ALREADY_EXISTS' });
  });

  it('[T7.defaults] [T6.null] null is absent: the token renews, and nobody takes a lease', async () => {
    await using folder = await scratch();
    const project = await folder.open({ caller: 'http', tokenId: 'abc' });
    const nothing = { title: 'Add login', rationale: null, owner: null, ttl: null, template: null };
    const free = await openChange(project, ChangeOpenInput.parse({ ...nothing, slug: 'free' }));
    expect(free.change).not.toHaveProperty('owner');
    expect(await folder.read('openspec/changes/free/.openspec.yaml')).not.toContain('lease');
    await openChange(project, input({ owner: 'ada', ttl: 120 }));
    const renewed = await openChange(project, ChangeOpenInput.parse({ ...nothing, slug: 'add-login' }));
    expect(renewed).toMatchObject({ resumed: true, change: { owner: 'ada' } });
    expect(await folder.read('openspec/changes/add-login/.openspec.yaml')).toMatch(/ttl: 120\n/u);
  });

  it('[T7.defaults] ttl alone holds for the caller; neither means no lease; keys of other tools survive a renewal', async () => {
    await using folder = await scratch();
    const project = await folder.open({ caller: 'ada' });
    await openChange(project, input({ ttl: 60 }));
    await expect(tickTask(withCaller(project, { caller: 'eve' }), 'add-login', '1.1')).rejects.toMatchObject({
      code: 'CHANGE_LOCKED',
    });
    const meta = await folder.read('openspec/changes/add-login/.openspec.yaml');
    await folder.write({ 'openspec/changes/add-login/.openspec.yaml': `# ours\n${meta}goal: stay\nx: {y: [1]}\n` });
    await openChange(project, input({ ttl: 90 }));
    const renewed = await folder.read('openspec/changes/add-login/.openspec.yaml');
    expect(renewed).toMatch(/^# ours\n/u);
    expect(renewed).toContain('ttl: 90');
    expect(renewed).toContain('goal: stay');
    await openChange(project, input({ slug: 'free-one' }));
    await tickTask(withCaller(project, { caller: 'eve' }), 'free-one', '1.1');
  });
});
