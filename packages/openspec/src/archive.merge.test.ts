import { link, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Receipt } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, removed, requirement, specOf } from '../fixtures/texts.ts';
import { archiveChange } from './archive.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');
const RETIRES = {
  'openspec/changes/chg/.openspec.yaml': 'schema: spec-driven\nretire_capabilities: true\n',
};

describe('archive of several capabilities', () => {
  it('[T8.order] [T8.modified] [T8.removed] [T8.renamed] says what became of each requirement', async () => {
    await using folder = await scratch({
      'openspec/specs/cap/spec.md': specOf(requirement('A'), requirement('B'), requirement('C')),
      ...changeOf('chg', {
        cap: `## RENAMED Requirements\n- FROM: \`### Requirement: A\`\n- TO: \`### Requirement: A2\`\n\n${removed('B')}${modified(requirement('C', 'newly'))}${added(requirement('D'))}`,
      }),
    });
    const project = await folder.open({ clock });
    const { specs, totals, receiptPath } = await archiveChange(project, { slug: 'chg' });
    const update = {
      capability: 'cap',
      path: 'openspec/specs/cap/spec.md',
      created: false,
      retired: false,
      added: ['D'],
      modified: ['C'],
      removed: ['B'],
      renamed: [{ from: 'A', to: 'A2' }],
    };
    expect(specs).toEqual([update]);
    expect(totals).toEqual({ added: 1, modified: 1, removed: 1, renamed: 1 });
    expect(Receipt.parse(JSON.parse(await folder.read(receiptPath)))).toMatchObject({
      specs: [update],
      totals,
    });
    expect(await folder.read('openspec/specs/cap/spec.md')).toBe(
      specOf(
        requirement('A').replace('Requirement: A', 'Requirement: A2'),
        requirement('C', 'newly'),
        requirement('D'),
      ),
    );
  });

  it('[T8.atomic] one that cannot be merged leaves all the others as they were', async () => {
    await using folder = await scratch({
      'openspec/specs/a/spec.md': specOf(requirement('A')),
      'openspec/specs/z/spec.md': specOf(requirement('Z')),
      ...changeOf('chg', {
        a: modified(requirement('A', 'newly')),
        z: modified(requirement('Missing')),
      }),
    });
    const before = await folder.tree();
    const archiving = archiveChange(await folder.open({ clock }), { slug: 'chg' });
    await expect(archiving).rejects.toMatchObject({
      code: 'CHANGE_CONFLICT',
      details: { capability: 'z' },
    });
    expect(await folder.tree()).toEqual(before);
  });

  it('[T8.modified] keeps nested capabilities apart, and the line ends of each file', async () => {
    const crlf = specOf(requirement('A'), requirement('B')).replaceAll('\n', '\r\n');
    await using folder = await scratch({
      'openspec/specs/area/deep/spec.md': crlf,
      'openspec/specs/area/spec.md': specOf(requirement('A')),
      ...changeOf('chg', {
        'area/deep': modified(requirement('A', 'newly')),
        area: `\uFEFF${modified(requirement('A', 'other')).replaceAll('\n', '\r')}`,
      }),
    });
    await archiveChange(await folder.open({ clock }), { slug: 'chg' });
    expect(await folder.read('openspec/specs/area/deep/spec.md')).toBe(
      specOf(requirement('A', 'newly'), requirement('B')).replaceAll('\n', '\r\n'),
    );
    expect(await folder.read('openspec/specs/area/spec.md')).toBe(specOf(requirement('A', 'other')));
  });

  it('[T8.golden] skip_specs archives without deltas, and not with them', async () => {
    const meta = {
      'openspec/changes/chg/.openspec.yaml': 'schema: spec-driven\nskip_specs: true\n',
    };
    await using folder = await scratch({
      'openspec/changes/chg/proposal.md': '# Tooling\n',
      ...meta,
    });
    expect(await archiveChange(await folder.open({ clock }), { slug: 'chg' })).toMatchObject({
      specs: [],
    });
    await folder.write({ ...changeOf('chg', { cap: added(requirement('A')) }), ...meta });
    await expect(archiveChange(await folder.open({ clock }), { slug: 'chg' })).rejects.toMatchObject({
      code: 'CHANGE_INVALID',
      details: { issues: [{ code: 'SKIP_SPECS_CONFLICT' }] },
    });
  });
});

describe('[T8.removed] the last requirement of a capability', () => {
  const spec = specOf(requirement('A'));
  const change = changeOf('chg', { 'area/cap': removed('A') });

  it('takes its specification and the empty folders along, where the change says so', async () => {
    await using folder = await scratch({
      'openspec/specs/area/cap/spec.md': spec,
      ...change,
      ...RETIRES,
    });
    const result = await archiveChange(await folder.open({ clock }), { slug: 'chg' });
    expect(result.specs).toMatchObject([{ capability: 'area/cap', retired: true, removed: ['A'] }]);
    expect(result.warnings[0]).toMatch(/^area\/cap - capability retired; deleted the main spec/u);
    expect(await readdir(path.join(folder.root, 'openspec/specs'))).toEqual([]);
  });

  it.each([
    ['wrapped at its depth', '- **THEN** it is done,\n  and well'],
    ['wrapped further left', '- **THEN** it is done,\nand well'],
    ['with a list of its own', '- **THEN** it is done\n  - at once\n  + and well'],
    ['with a table at its depth', '- **THEN** it is done\n  | a | b |'],
    ['with a sample', '- **THEN** it is done\n```\n### Requirement: Sample\n```'],
    ['by numbers', '10. **THEN** it is done\n    > quoted'],
  ])('goes where a list item of a scenario is %s', async (_, item) => {
    const text = spec.replace('- **THEN** it is done', item);
    await using folder = await scratch({ 'openspec/specs/area/cap/spec.md': text, ...change, ...RETIRES });
    const result = await archiveChange(await folder.open({ clock }), { slug: 'chg' });
    expect(result.specs).toMatchObject([{ retired: true }]);
  });

  it('leaves what else lies in its folder', async () => {
    const note = { 'openspec/specs/area/cap/notes.md': 'keep\n' };
    await using folder = await scratch({
      'openspec/specs/area/cap/spec.md': spec,
      ...note,
      ...change,
      ...RETIRES,
    });
    await archiveChange(await folder.open({ clock }), { slug: 'chg' });
    expect(await folder.tree()).toMatchObject(note);
  });

  it.each([
    ['an own section', `${spec}\n## Notes\nMine\n`],
    ['prose above the requirements', spec.replace('## Requirements\n', '## Requirements\n\nRead this first.\n')],
    ['a section above', spec.replace('## Purpose', '## About\nMine\n\n## Purpose')],
    ['an underlined heading in the Purpose', spec.replace('\n\n## Requirements', '\n\nMine\n----\n\n## Requirements')],
    ['an HTML heading in the Purpose', spec.replace('\n\n## Requirements', '\n<h2>Mine</h2>\n\n## Requirements')],
    ['a second title', spec.replace('\n\n## Requirements', '\n\n# Mine\n\n## Requirements')],
    ['a heading inside the requirement', `${spec}\n### Notes\nMine\n`],
    ['prose below a scenario', `${spec}\nMine\n`],
    ['a list apart from its scenario', `${spec}\n- Mine\n`],
    ['an underlined heading below a scenario', `${spec}Mine\n----\n`],
    ['a heading hidden at the depth of an item', `${spec}  ### Mine\n`],
    ['an underlined heading there', `${spec}  Mine\n  ----\n`],
    ['a quote right below an item', `${spec}> Mine\n`],
    ['a table above the scenarios', spec.replace('\n#### Scenario', '| mine |\n\n#### Scenario')],
  ])('stays where its file also holds %s', async (_, text) => {
    await using folder = await scratch({
      'openspec/specs/area/cap/spec.md': text,
      ...change,
      ...RETIRES,
    });
    const before = await folder.tree();
    const archiving = archiveChange(await folder.open({ clock }), { slug: 'chg' });
    await expect(archiving).rejects.toMatchObject({
      code: 'CHANGE_INVALID',
      hint: expect.stringMatching(/take text/u),
    });
    expect(await folder.tree()).toEqual(before);
  });

  it.each([
    ['absent', 'schema: spec-driven\n'],
    ['not a boolean', 'schema: spec-driven\nretire_capabilities: "yes"\n'],
    ['in a file that OpenSpec cannot load', 'retire_capabilities: true\n'],
  ])('stays where the marker is %s, and the hint names it', async (_, meta) => {
    const files = {
      'openspec/specs/area/cap/spec.md': spec,
      ...change,
      'openspec/changes/chg/.openspec.yaml': meta,
    };
    await using folder = await scratch(files);
    const archiving = archiveChange(await folder.open({ clock }), { slug: 'chg' });
    await expect(archiving).rejects.toMatchObject({
      code: 'CHANGE_INVALID',
      hint: expect.stringMatching(/retire_capabilities: true/u),
    });
  });

  it('of a capability that is gone already is no reason to stop, where the marker is set', async () => {
    await using folder = await scratch({ ...change, ...RETIRES });
    const result = await archiveChange(await folder.open({ clock }), { slug: 'chg' });
    expect(result).toMatchObject({ specs: [], totals: { removed: 0 } });
    await using other = await scratch(change);
    await expect(archiveChange(await other.open({ clock }), { slug: 'chg' })).rejects.toMatchObject({
      code: 'CHANGE_INVALID',
    });
  });
});

describe('a file with a second name', () => {
  it.each(['openspec/specs/cap/spec.md', 'openspec/changes/chg/specs/cap/spec.md', 'openspec/changes/chg/tasks.md'])(
    '[F9] [T8.links] %s is refused where it is a hard link',
    async (name) => {
      await using outer = await scratch({ secret: 'secret' });
      await using folder = await scratch({
        'openspec/specs/cap/other.md': '',
        ...changeOf('chg', { 'cap/x': added(requirement('A')), 'x/y': added(requirement('A')) }),
        'openspec/changes/chg/specs/cap/other.md': '',
      });
      if (name.startsWith('openspec/specs')) await folder.write(changeOf('chg', { cap: added(requirement('A')) }));
      await link(path.join(outer.root, 'secret'), path.join(folder.root, name));
      await expect(archiveChange(await folder.open({ clock }), { slug: 'chg' })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(await outer.read('secret')).toBe('secret');
    },
  );
});
