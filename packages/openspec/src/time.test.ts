import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { archiveChange } from './archive.ts';
import { listChanges } from './list.ts';
import { openChange } from './open.ts';
import { withCaller } from './project.ts';
import { tickTask } from './tick.ts';

const NONE = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };
const HOUR = 3_600_000;
const DECADE = 10 * 365 * 24 * HOUR;

describe('[F17] the name of an archive', () => {
  it('is taken once, however often a slug comes back around midnight, and with a clock that goes back', async () => {
    await using folder = await scratch();
    const clock = fixedClock('2026-12-31T23:59:58.000Z');
    const project = await folder.open({ clock });
    const steps = [0, 700, 700, 700, 0, 0, 24 * HOUR, -24 * HOUR, -1400, 1400, 0, -3 * HOUR, 0, 3 * HOUR];
    const told: string[] = [];
    for (const [count, step] of [...steps, ...steps].entries()) {
      clock.advance(step);
      await openChange(project, { ...NONE, slug: 'again', title: `Number ${count}` });
      const { archivedAs, archivedAt } = await archiveChange(project, { slug: 'again' });
      expect(archivedAs.slice(0, 10)).toBe(archivedAt.slice(0, 10));
      told.push(archivedAs);
    }
    expect(new Set(told).size).toBe(told.length);
    const archive = path.join(folder.root, 'openspec/changes/archive');
    expect((await readdir(archive)).sort()).toEqual([...told].sort());
    for (const [count, name] of told.entries()) {
      expect(await folder.read(`openspec/changes/archive/${name}/proposal.md`)).toContain(`Number ${count}`);
    }
  });

  it('steps aside for a folder that another tool put there, empty or not', async () => {
    await using folder = await scratch({ 'openspec/changes/archive/2026-11-20-again/mine.md': 'mine' });
    const project = await folder.open({ clock: fixedClock('2026-11-20T12:00:00.000Z') });
    await openChange(project, { ...NONE, slug: 'again', title: 'A' });
    expect(await archiveChange(project, { slug: 'again' })).toMatchObject({ archivedAs: '2026-11-20-again-2' });
    expect(await folder.read('openspec/changes/archive/2026-11-20-again/mine.md')).toBe('mine');
  });
});

describe('[F18] [T7.expiry] a clock that jumps', () => {
  it.each([
    ['ahead by an hour', HOUR],
    ['ahead by ten years', DECADE],
    ['back by an hour', -HOUR],
    ['back by ten years', -DECADE],
  ])('%s: no work is archived, deleted or changed by it', async (_, jump) => {
    await using folder = await scratch();
    const clock = fixedClock('2026-11-20T12:00:00.000Z');
    const project = await folder.open({ clock });
    await openChange(project, { ...NONE, slug: 'held-one', title: 'Held', owner: 'team', ttl: 600 });
    await openChange(project, { ...NONE, slug: 'free-one', title: 'Free' });
    const before = await folder.tree();
    clock.advance(jump);
    const eve = withCaller(project, { caller: 'eve' });
    const { items } = await listChanges(eve, { status: 'all' });
    expect(Object.fromEntries(items.map(({ slug, status }) => [slug, status]))).toEqual({
      'free-one': 'draft',
      'held-one': 'draft',
    });
    // Any operation makes good what was left; it takes nothing else away.
    await expect(tickTask(eve, 'free-one', '99.9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(openChange(eve, { ...NONE, slug: 'held-one', title: 'Mine' })).rejects.toMatchObject({
      code: jump > 0 ? 'CHANGE_ALREADY_EXISTS' : 'CHANGE_LOCKED',
    });
    expect(await folder.tree()).toEqual(before);
    // The owner is never shut out, whatever the clock says.
    const team = withCaller(project, { caller: 'team' });
    expect(await openChange(team, { ...NONE, slug: 'held-one', title: 'Held' })).toMatchObject({ resumed: true });
    await tickTask(team, 'held-one', '1.1');
  });

  it('a lease that was taken under a clock far ahead holds at most as long as it was taken for', async () => {
    await using folder = await scratch();
    const clock = fixedClock('2036-11-20T12:00:00.000Z');
    const project = await folder.open({ clock });
    await openChange(project, { ...NONE, slug: 'held-one', title: 'Held', owner: 'team', ttl: 600 });
    clock.advance(-DECADE);
    const eve = withCaller(project, { caller: 'eve' });
    await expect(tickTask(eve, 'held-one', '1.1')).rejects.toMatchObject({ code: 'CHANGE_LOCKED', retryAfter: 600 });
  });
});
