import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../fixtures/scratch.ts';
import { tickTask } from './tick.ts';

const TASKS = 'openspec/changes/one/tasks.md';

describe('task edits', () => {
  it('sets one box and leaves every other byte, whatever the line breaks', async () => {
    const before = '\uFEFF## 1. A\r- [ ] 1.1 a\r\n  - [~] 1.2 b [ ]\n\n* [] plain  \r\n```\n- [ ] 1.3 c\n```';
    await using folder = await scratch({ [TASKS]: before });
    const project = await folder.open();
    let expected = before;
    for (const [id, from, to] of [
      ['1.1', '[ ] 1.1', '[x] 1.1'],
      ['1.2', '[~]', '[x]'],
      ['#3', '[] plain', '[x] plain'],
      ['1.3', '[ ] 1.3', '[x] 1.3'],
    ] as const) {
      await tickTask(project, 'one', id);
      expected = expected.replace(from, to);
      expect(await folder.read(TASKS)).toBe(expected);
    }
    const file = path.join(folder.root, TASKS);
    const { ino } = await stat(file);
    await tickTask(project, 'one', '1.1');
    expect((await stat(file)).ino).toBe(ino); // done already: not even written
  });

  it('tells a missing change from a missing task', async () => {
    await using folder = await scratch({ 'openspec/changes/one/proposal.md': '' });
    const project = await folder.open();
    await expect(tickTask(project, 'one', '1.1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(tickTask(project, 'two', '1.1')).rejects.toMatchObject({ code: 'CHANGE_NOT_FOUND' });
    await expect(tickTask(project, '..', '1.1')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('many at the same instant all arrive', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `1.${index + 1}`);
    await using folder = await scratch({ [TASKS]: ids.map((id) => `- [ ] ${id} x\n`).join('') });
    const project = await folder.open();
    await Promise.all(ids.map(async (id) => tickTask(project, 'one', id)));
    expect(await folder.read(TASKS)).toBe(ids.map((id) => `- [x] ${id} x\n`).join(''));
  });

  it('refuses bytes that are no text instead of writing them anew', async () => {
    await using folder = await scratch({ [TASKS]: '' });
    const bytes = Buffer.concat([Buffer.from('- [ ] 1.1 '), Buffer.from([0xff, 0xfe])]);
    await writeFile(path.join(folder.root, TASKS), bytes);
    await expect(tickTask(await folder.open(), 'one', '1.1')).rejects.toMatchObject({ code: 'CHANGE_INVALID' });
    expect(await readFile(path.join(folder.root, TASKS))).toEqual(bytes);
  });
});
