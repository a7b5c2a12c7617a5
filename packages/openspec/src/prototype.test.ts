import { describe, expect, it } from 'vitest';
import { fixedClock, scratch } from '../fixtures/scratch.ts';
import { added, requirement } from '../fixtures/texts.ts';
import { startWorker } from '../fixtures/worker.ts';
import { archiveChange } from './archive.ts';
import { listChanges } from './list.ts';
import { readChange } from './detail.ts';
import { validateChange } from './validate.ts';

const clock = fixedClock('2026-11-20T12:00:00.000Z');

/** Front matter and notes as a hostile hand writes them. */
const METAS = [
  '__proto__:\n  polluted: yes\ntitle: T\n',
  'title: T\nlease:\n  __proto__: {owner: eve}\n  owner: ada\n',
  '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
  'scaffold:\n  __proto__: x\n  constructor: y\n',
  '? __proto__\n: &a {polluted: 1}\nx: *a\n<<: *a\n',
  '"\\u005f_proto__": {polluted: 1}\n',
];

describe('[F13] names that reach for the prototype', () => {
  it.each(METAS)('in .openspec.yaml: %j', async (meta) => {
    await using folder = await scratch({
      'openspec/changes/chg/.openspec.yaml': meta,
      'openspec/changes/chg/.bases.json':
        '{"format":1,"__proto__":{"polluted":1},"bases":[{"__proto__":{"sha256":"x"}}]}',
      'openspec/changes/chg/specs/__proto__/spec.md': added(requirement('__proto__'), requirement('constructor')),
      'openspec/changes/archive/2026-01-01-old/receipt.json':
        '{"__proto__":{"slug":"x"},"constructor":{"prototype":{}}}',
    });
    const project = await folder.open({ clock });
    expect((await listChanges(project, { status: 'all' })).total).toBe(2);
    await readChange(project, 'chg');
    await validateChange(project, 'chg');
    await archiveChange(project, { slug: 'chg' });
    expect(await folder.read('openspec/specs/__proto__/spec.md')).toContain('### Requirement: constructor');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('every test of this room runs where the prototype of all objects is frozen', () => {
    expect(Object.isFrozen(Object.prototype)).toBe(true);
  });

  it('every operation works where the prototype of all objects is frozen', async () => {
    await using worker = await startWorker({ args: ['frozen'] });
    await using folder = await scratch({
      'openspec/changes/add-it/tasks.md': '- [ ] 1.1 a\n',
      'openspec/changes/add-it/specs/cap/spec.md': added(requirement('A')),
    });
    for (const operation of ['open', 'tick', 'archive'])
      expect(await worker.ask(operation, folder.root), operation).toBe('ok');
    expect(await worker.ask('unarchive', folder.root, 'add-it')).toBe('ok');
  });
});
