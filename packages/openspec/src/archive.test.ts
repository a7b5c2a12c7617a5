import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { Receipt, type ChangeOpenInput } from '@cloutagent/contract';
import { canonicalJson } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { readChange } from './detail.ts';
import { sha256 } from './digest.ts';
import { openChange } from './open.ts';
import { withCaller } from './project.ts';
import { tickTask } from './tick.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const OPEN: ChangeOpenInput = {
  title: 'Add login',
  slug: 'add-login',
  rationale: undefined,
  owner: undefined,
  ttl: undefined,
  template: undefined,
};
const CHANGE = 'openspec/changes/add-login';
const SPEC = 'openspec/specs/add-login/spec.md';

describe('change.archive', () => {
  it('[T8.scaffold] an untouched scaffold archives with its slug alone and merges nothing', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    await openChange(project, { ...OPEN, owner: 'ada' });
    await openChange(project, { ...OPEN, owner: 'ada' }); // a renewed lease is no edit
    const result = await archiveChange(project, { slug: 'add-login' });
    expect(result).toEqual({
      slug: 'add-login',
      archivedAs: '2026-11-20-add-login',
      archivedAt: '2026-11-20T12:00:00.000Z',
      path: 'openspec/changes/archive/2026-11-20-add-login',
      specs: [],
      totals: { added: 0, modified: 0, removed: 0, renamed: 0 },
      warnings: [],
      overlaps: [],
      receiptPath: 'openspec/changes/archive/2026-11-20-add-login/receipt.json',
    });
    expect(Object.keys(await folder.tree())).not.toContain(SPEC);
    await expect(archiveChange(project, { slug: 'add-login' })).rejects.toMatchObject({
      code: 'CHANGE_ALREADY_ARCHIVED',
    });
    await expect(readChange(project, 'add-login')).rejects.toMatchObject({
      code: 'CHANGE_ALREADY_ARCHIVED',
    });
    await expect(readChange(project, 'add')).rejects.toMatchObject({ code: 'CHANGE_NOT_FOUND' });
  });

  it.each(['tasks.md', 'proposal.md', 'specs/add-login/spec.md', 'design.md'])(
    '[T8.incomplete] an edited %s asks for finished tasks, or for allowIncomplete',
    async (file) => {
      await using folder = await scratch();
      const project = await folder.open({ clock });
      await openChange(project, OPEN);
      const text = file === 'design.md' ? '' : await folder.read(`${CHANGE}/${file}`);
      await folder.write({ [`${CHANGE}/${file}`]: `${text}\n` });
      const refused = archiveChange(project, { slug: 'add-login' });
      await expect(refused).rejects.toMatchObject({
        code: 'CHANGE_TASKS_INCOMPLETE',
        details: { open: 10, total: 10 },
      });
      const result = await archiveChange(project, { slug: 'add-login', allowIncomplete: true });
      expect(result.totals.added).toBe(1);
      expect(result.warnings).toHaveLength(file.startsWith('specs/') ? 0 : 1);
      expect(await folder.read(SPEC)).toContain('### Requirement: Add login');
    },
  );

  it('[T8.receipt] writes a receipt in the same commit, whose hash proves it', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    await openChange(project, OPEN);
    await tickTask(project, 'add-login', '1.1');
    const result = await archiveChange(project, { slug: 'add-login', allowIncomplete: true });
    const receipt = Receipt.parse(JSON.parse(await folder.read(result.receiptPath)));
    const { hash, ...rest } = receipt;
    expect(hash).toBe(sha256(canonicalJson(rest)));
    expect(receipt).toMatchObject({ by: 'ada', ledger: 'absent', specs: result.specs, runs: [] });
    expect(receipt.tasks.slice(0, 2).map(({ id, done }) => [id, done])).toEqual([
      ['1.1', true],
      ['1.2', false],
    ]);
  });

  it('[T8.receipt] takes the receipt of its caller; when that fails, nothing has happened', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    await openChange(project, OPEN);
    const before = await folder.tree();
    const failing = async (): Promise<object> => Promise.reject(new Error('no ledger'));
    await expect(archiveChange(project, { slug: 'add-login', receipt: failing })).rejects.toThrow('no ledger');
    expect(await folder.tree()).toEqual(before);
    const receipt = async (draft: { title: string; tasks: unknown[] }): Promise<object> => ({
      title: draft.title,
      tasks: draft.tasks.length,
    });
    const { receiptPath } = await archiveChange(project, { slug: 'add-login', receipt });
    expect(JSON.parse(await folder.read(receiptPath))).toEqual({ title: 'Add login', tasks: 10 });
  });

  it('[T8.move] a slug may be used again, also on the same day', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    for (const name of ['2026-11-20-add-login', '2026-11-20-add-login-2', '2026-11-20-add-login-3']) {
      await openChange(project, OPEN);
      expect((await archiveChange(project, { slug: 'add-login' })).archivedAs).toBe(name);
    }
    await expect(readChange(project, 'add-login-2')).rejects.toMatchObject({
      code: 'CHANGE_NOT_FOUND',
    });
  });

  it('[T8.invalid] [T8.not-found] tells what is wrong', async () => {
    await using folder = await scratch({
      [`${CHANGE}/specs/cap/spec.md`]: '## ADDED Requirements\n',
    });
    const project = await folder.open({ clock });
    await expect(archiveChange(project, { slug: 'add-login' })).rejects.toMatchObject({
      code: 'CHANGE_INVALID',
      hint: 'clout change validate add-login lists what is wrong and where',
      details: { issues: [{ code: 'DELTA_SECTION_EMPTY' }, { code: 'CHANGE_NO_DELTAS' }] },
    });
    await expect(archiveChange(project, { slug: 'nothing' })).rejects.toMatchObject({
      code: 'CHANGE_NOT_FOUND',
    });
    await expect(archiveChange(project, { slug: '../x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(archiveChange(project, { slug: 'archive' })).rejects.toMatchObject({
      code: 'CHANGE_NOT_FOUND',
    });
  });

  it('[T7.locked] is refused to others while a lease lasts', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    await openChange(project, { ...OPEN, owner: 'team', ttl: 60 });
    const stranger = withCaller(project, { caller: 'eve' });
    await expect(archiveChange(stranger, { slug: 'add-login' })).rejects.toMatchObject({
      code: 'CHANGE_LOCKED',
    });
    await archiveChange(project, { slug: 'add-login' });
  });

  it.each(['openspec/specs', 'openspec/changes/archive', 'openspec/.task-mcp'])(
    'never writes through %s where it is a link that leads out',
    async (link) => {
      await using outer = await scratch({ 'target/keep.md': 'keep' });
      await using folder = await scratch({ [`${CHANGE}/specs/cap/spec.md`]: ADDS });
      await symlink(path.join(outer.root, 'target'), path.join(folder.root, link));
      const archiving = archiveChange(await folder.open({ clock }), { slug: 'add-login' });
      await expect(archiving).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(await outer.tree()).toEqual({ 'target/keep.md': 'keep' });
    },
  );

  it.each(['cap', 'cap/nested'])('never writes a capability %s behind such a link', async (capability) => {
    await using outer = await scratch({ 'target/keep.md': 'keep' });
    await using folder = await scratch({
      [`${CHANGE}/specs/${capability}/spec.md`]: ADDS,
      'openspec/specs/x/spec.md': '',
    });
    await symlink(path.join(outer.root, 'target'), path.join(folder.root, 'openspec/specs/cap'));
    const archiving = archiveChange(await folder.open({ clock }), { slug: 'add-login' });
    await expect(archiving).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await outer.tree()).toEqual({ 'target/keep.md': 'keep' });
  });
});

const ADDS = `## ADDED Requirements

### Requirement: Login
The system SHALL let users in.

#### Scenario: Right password
- **WHEN** it is right
- **THEN** they are in
`;
