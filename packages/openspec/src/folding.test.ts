import { describe, expect, it } from 'vitest';
import { leftovers, START } from '../fixtures/before.ts';
import { scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, requirement, specOf } from '../fixtures/texts.ts';
import { startWorker } from '../fixtures/worker.ts';

const NFC = 'caf\u00e9';
const NFD = 'cafe\u0301';

describe.runIf(process.platform === 'linux')('[F11] on a disk that folds case and accents', { timeout: 60_000 }, () => {
  it('every operation works, and leaves what it leaves elsewhere', async () => {
    await using folding = await startWorker({ args: ['folding'] });
    await using plain = await startWorker();
    await using folder = await scratch(START);
    await using other = await scratch(START);
    for (const operation of ['open', 'tick', 'archive', 'unarchive']) {
      expect(await folding.ask(operation, folder.root), operation).toBe('ok');
      expect(await plain.ask(operation, other.root), operation).toBe('ok');
    }
    const names = async (of: typeof folder): Promise<string[]> => Object.keys(await of.tree());
    expect(await names(folder)).toEqual(await names(other));
    expect(await leftovers(folder)).toEqual([]);
  });

  it.each([
    ['Cap', 'cap'],
    [NFC, NFD],
    ['area/Cap', 'area/cap'],
    ['Area/cap', 'area/cap'],
  ])('a delta %j-%j merges into no specification of another spelling', async (first, second) => {
    await using worker = await startWorker({ args: ['folding'] });
    await using folder = await scratch({
      [`openspec/specs/${first}/spec.md`]: specOf(requirement('A')),
      ...changeOf('adds', { [second]: added(requirement('B')) }),
      ...changeOf('edits', { [second]: modified(requirement('A', 'newly')) }),
    });
    const before = await folder.tree();
    for (const slug of ['adds', 'edits']) {
      expect(await worker.ask('archive', folder.root, slug), slug).toBe('CHANGE_CONFLICT');
    }
    expect(await folder.tree()).toEqual(before);
  });

  it('a change has one name: another spelling of it is taken, and is no change of its own', async () => {
    await using worker = await startWorker({ args: ['folding'] });
    await using folder = await scratch(changeOf('Add-It', { cap: added(requirement('A')) }));
    await folder.write({ 'openspec/changes/Add-It/tasks.md': '- [ ] 1.1 a\n' });
    const before = await folder.tree();
    expect(await worker.ask('open', folder.root, 'add-it')).toBe('CHANGE_ALREADY_EXISTS');
    for (const operation of ['tick', 'archive']) {
      expect(await worker.ask(operation, folder.root, 'add-it'), operation).toBe('CHANGE_NOT_FOUND');
    }
    expect(await folder.tree()).toEqual(before);
    // The folder of what was archived is no change under any spelling.
    await folder.write({ 'openspec/changes/archive/tasks.md': '- [ ] 1.1 a\n' });
    expect(await worker.ask('tick', folder.root, 'Archive')).toBe('CHANGE_NOT_FOUND');
    expect(await worker.ask('tick', folder.root, 'Add-It')).toBe('ok');
    expect(await worker.ask('archive', folder.root, 'Add-It')).toBe('ok');
    expect(await worker.ask('unarchive', folder.root, 'add-it')).toBe('CHANGE_NOT_FOUND');
    expect(await worker.ask('unarchive', folder.root, 'Add-It')).toBe('ok');
  });
});
