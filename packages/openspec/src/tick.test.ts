import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '@cloutagent/kit';
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

  it('[P2.tick] refuses a task that is not what it was when it was read', async () => {
    const task = { id: '1.1', title: 'a', checks: [{ kind: 'file-exists', path: 'a.txt' }] } as const;
    const check = '  - check: file a.txt exists\n';
    const ref = { ...task, checks: [...task.checks] };
    const texts = [
      `- [ ] 1.1 b\n${check}`,
      '- [ ] 1.1 a\n',
      `- [ ] 1.1 a\n${check}  - check: what\n`,
      `- [ ] 1.2 a\n${check}`,
    ];
    for (const text of texts) {
      await using folder = await scratch({ [TASKS]: text });
      await expect(tickTask(await folder.open(), 'one', ref)).rejects.toMatchObject({
        code: 'CHANGE_CONFLICT',
        message: 'Task 1.1 was edited since this run began; start a new run: clout run one',
      });
      expect(await folder.read(TASKS)).toBe(text);
    }
    await using folder = await scratch({ [TASKS]: `- [ ] 1.1 a\n${check}` });
    await tickTask(await folder.open(), 'one', ref);
    expect(await folder.read(TASKS)).toBe(`- [x] 1.1 a\n${check}`);
  });

  it('[P2.tick] finds a task without a number by what it says, unless two say it', async () => {
    await using folder = await scratch({ [TASKS]: '- [ ] new\n- [ ] 1.1 old\n- [ ] old\n' });
    const project = await folder.open();
    const ref = { id: '#1', title: 'old', checks: [] };
    await tickTask(project, 'one', ref);
    expect(await folder.read(TASKS)).toBe('- [ ] new\n- [ ] 1.1 old\n- [x] old\n');
    await writeFile(path.join(folder.root, TASKS), '- [ ] old\n- [ ] old\n');
    await expect(tickTask(project, 'one', ref)).rejects.toMatchObject({ code: 'CHANGE_CONFLICT' });
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

  it('lets others run between one edit and the next, also where the disk answers at once', async () => {
    const ids = ['1.1', '1.2', '1.3', '1.4', '1.5'];
    await using folder = await scratch({ [TASKS]: ids.map((id) => `- [ ] ${id} x\n`).join('') });
    const project = await folder.open({ clock: { ...systemClock, monotonic: () => 0 } });
    let turns = 0;
    let next = setImmediate(function turn() {
      turns += 1;
      next = setImmediate(turn);
    });
    try {
      // Before the first, nobody knows how fast the disk is.
      await tickTask(project, 'one', '1.1');
      turns = 0;
      for (const id of ids.slice(1)) await tickTask(project, 'one', id);
      expect(turns).toBeGreaterThanOrEqual(4);
    } finally {
      clearImmediate(next);
    }
  });
});
