import { spawnSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { SLUG_PATTERN } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, requirement, specOf } from '../fixtures/texts.ts';
import { archiveChange } from './archive.ts';
import { foldedName } from './folded-name.ts';
import { isInside } from './disk/inside.ts';
import { listChanges } from './list.ts';
import { openChange } from './open.ts';
import { readResource } from './resource.ts';
import { validateChange } from './validate.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const NONE = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };
const NFC = 'caf\u00e9';
const NFD = 'cafe\u0301';

/** Slugs, and whether they may be opened. */
const SLUGS: Readonly<Record<string, boolean>> = {
  archive: false,
  con: false,
  prn: false,
  aux: false,
  nul: false,
  com0: false,
  com1: false,
  com9: false,
  lpt1: false,
  constructor: false,
  prototype: false,
  tostring: false,
  valueof: false,
  hasownproperty: false,
  'con-1': true,
  archive2: true,
  'the-constructor': true,
  ab: false,
  abc: true,
  [`a${'b'.repeat(63)}`]: true,
  [`a${'b'.repeat(64)}`]: false,
  'abc\n': false,
  '\nabc': false,
  'abc\u2028': false,
  'ab\u200bc': false,
  'ab\u202ec': false,
  'a--b': false,
  '-ab': false,
  'ab-': false,
  Abc: false,
  [NFC]: false,
};

describe('[F10] names that mean something else', () => {
  it.each(Object.entries(SLUGS))('[T6.reserved] %j may be opened: %s', async (slug, isAllowed) => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    const end = await openChange(project, { ...NONE, slug, title: 'T' }).then(
      ({ change }) => change.slug,
      (error: unknown) => error,
    );
    const refusal: unknown = expect.objectContaining({ code: 'INVALID_INPUT' });
    expect(end).toEqual(isAllowed ? slug : refusal);
    expect((await listChanges(project)).total).toBe(isAllowed ? 1 : 0);
  });

  it.each(['constructor', '__proto__', 'hasOwnProperty', 'toString'])(
    'a folder %s that is there already is a change like any other',
    async (slug) => {
      await using folder = await scratch(changeOf(slug, { [slug]: added(requirement(slug)) }));
      const project = await folder.open({ clock });
      expect(await validateChange(project, slug)).toMatchObject({ valid: true });
      expect((await listChanges(project)).items.map((item) => item.slug)).toEqual([slug]);
      expect((await readResource(project, `change://${slug}/delta/spec.md`)).text).toContain(slug);
      await archiveChange(project, { slug });
      expect(await folder.read(`openspec/specs/${slug}/spec.md`)).toContain(`### Requirement: ${slug}`);
    },
  );

  it('a neighbour whose name only begins like the folder is outside of it', async () => {
    expect(isInside('/r/changes', '/r/changes-x/a')).toBe(false);
    expect(isInside('/r/changes', '/r/changes')).toBe(true);
    expect(isInside('/r/changes', '/r/changes/../x')).toBe(false);
    expect(isInside('/r/changes', '/r/changes/.x/..y')).toBe(true);
    await using folder = await scratch({
      'openspec-x/changes/one/proposal.md': '# CANARY\n',
      'openspec/changes/a/tasks.md': '',
    });
    await symlink(path.join(folder.root, 'openspec-x/changes/one'), path.join(folder.root, 'openspec/changes/one'));
    await expect(readResource(await folder.open(), 'change://one/proposal')).rejects.toMatchObject({
      code: 'RESOURCE_NOT_FOUND',
    });
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.runIf(python)('a client in Python that uses the pattern of the schema with fullmatch agrees', () => {
    const program =
      'import json, re, sys; print(json.dumps([bool(re.fullmatch(sys.argv[1], s)) for s in json.loads(sys.argv[2])]))';
    const slugs = Object.keys(SLUGS);
    const { stdout } = spawnSync('python3', ['-c', program, SLUG_PATTERN, JSON.stringify(slugs)], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual(slugs.map((slug) => new RegExp(SLUG_PATTERN, 'u').test(slug)));
  });
});

describe('[F11] names that some disk or some eye takes for one', () => {
  it.each([
    ['Cap', 'cap'],
    [NFC, NFD],
    ['cap', 'c\u200bap'],
    ['cap', '\u202ecap'],
    ['\ufb01le', 'file'],
    ['area/Cap', 'area/cap'],
    ['Area/cap', 'area/cap'],
  ])('%j and %j are told apart nowhere: the second is refused, and nothing is written', async (first, second) => {
    expect(foldedName(first)).toBe(foldedName(second));
    await using folder = await scratch({
      [`openspec/specs/${first}/spec.md`]: specOf(requirement('A')),
      ...changeOf('chg', { [second]: added(requirement('B')) }),
      ...changeOf('both', { [`x/${first}`]: added(requirement('C')), [`x/${second}`]: added(requirement('D')) }),
      ...changeOf('same', { [first]: modified(requirement('A', 'newly')) }),
    });
    const project = await folder.open({ clock });
    const before = await folder.tree();
    for (const slug of ['chg', 'both']) {
      const archiving = archiveChange(project, { slug });
      await expect(archiving, slug).rejects.toMatchObject({ code: 'CHANGE_CONFLICT', details: { slug } });
      const { issues } = await validateChange(project, slug);
      expect(issues.map(({ code }) => code)).toContain('NAME_COLLISION');
    }
    expect(await folder.tree()).toEqual(before);
    await archiveChange(project, { slug: 'same' });
  });

  it('a specification that comes beside the others is seen at the next look', async () => {
    await using folder = await scratch({
      'openspec/specs/other/spec.md': specOf(requirement('A')),
      ...changeOf('chg', { cap: added(requirement('B')) }),
    });
    // So late that what was seen of the folder is kept.
    const project = await folder.open({ clock: fixedClock('2126-11-20T12:00:00.000Z') });
    const codes = async (): Promise<string[]> => (await validateChange(project, 'chg')).issues.map(({ code }) => code);
    expect(await codes()).not.toContain('NAME_COLLISION');
    await folder.write({ 'openspec/specs/Cap/spec.md': specOf(requirement('A')) });
    expect(await codes()).toContain('NAME_COLLISION');
  });

  it.each(['Add-Login', 'ADD-LOGIN', 'add-\u200blogin'])('a slug is taken where %j stands already', async (name) => {
    await using folder = await scratch();
    await mkdir(path.join(folder.root, 'openspec/changes', name), { recursive: true });
    const project = await folder.open({ clock });
    await expect(openChange(project, { ...NONE, slug: 'add-login', title: 'T' })).rejects.toMatchObject({
      code: 'CHANGE_ALREADY_EXISTS',
      details: { existing_slug: name },
    });
    await openChange(project, { ...NONE, slug: 'add-logins', title: 'T' });
  });

  it('spells a title without signs that turn or hide text', async () => {
    await using folder = await scratch();
    const project = await folder.open({ clock });
    const { change } = await openChange(project, { ...NONE, slug: 'abc', title: 'a\u202eb\u2066c\u0000d\u200be' });
    for (const sign of ['\u0000', '\u202e', '\u2066']) expect(change.title).not.toContain(sign);
  });

  it('reads Spec.md as no delta, and says so', async () => {
    await using folder = await scratch({ 'openspec/changes/chg/specs/cap/Spec.md': added(requirement('A')) });
    const { valid, issues } = await validateChange(await folder.open(), 'chg');
    expect(valid).toBe(false);
    expect(issues.map((issue) => issue.path)).toContain('cap/Spec.md');
  });
});
