import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { golden } from '../fixtures/golden.ts';
import { parseCheck } from './check.ts';
import { countTasks, parseTasks, tickLine } from './tasks.ts';

describe('tasks.md', () => {
  it.each([...golden])('%s: counted as OpenSpec counts', (_, { input, slug, tasks }) => {
    const counted = countTasks([input[`openspec/changes/${slug}/tasks.md`] ?? '']);
    expect(counted).toEqual({ done: tasks.completed, total: tasks.total });
  });

  it('reads ids, groups, notes and nesting', () => {
    const text =
      '\uFEFF## 1. Set up\r\n- [x] 1.1 Make it\r\n  a note\r\n  - [ ] 1.1.1a Inner\r\n    - deep note\r\n  - outer note\r\n- [~] plain\r\n\r\ntext\r\n  stray\r\n## Later\r\n1) [ ] 1.1 Again\r\n';
    expect(
      parseTasks(text).map(({ id, title, done, line, group, notes }) => [id, title, done, line, group, notes]),
    ).toEqual([
      ['1.1', 'Make it', true, 2, '1. Set up', ['a note', '- outer note']],
      ['1.1.1a', 'Inner', false, 4, '1. Set up', ['- deep note']],
      ['#3', 'plain', false, 7, '1. Set up', []],
      ['#4', '1.1 Again'.slice(4), false, 12, 'Later', []],
    ]);
  });

  it('reads checks below their task, and keeps what cannot be read', () => {
    const text = [
      '- [ ] 1.1 Write it',
      '  - check: file docs/a b.md exists',
      '  * Check: file x.txt contains "say \\"hi\\""',
      '  - check: run npm test -- --run',
      '  - check: file ../up exists',
      '  - check: it works',
      '  - a note',
      '    ```',
      '    - check: file sample exists',
      '    ```',
    ].join('\n');
    const [task] = parseTasks(text);
    expect(task?.checks).toEqual([
      { kind: 'file-exists', path: 'docs/a b.md' },
      { kind: 'file-contains', path: 'x.txt', text: 'say "hi"' },
      { kind: 'run', command: 'npm test -- --run' },
    ]);
    expect(task?.unreadableChecks).toEqual(['file ../up exists', 'it works']);
    expect(task?.notes).toEqual(['- a note', '```', '- check: file sample exists', '```']);
  });

  it.each([
    'file /etc/passwd exists',
    'file C:\\x exists',
    'file ./C: exists',
    'file a\\..\\..\\b exists',
    'file a/../../b exists',
    'file . exists',
    'file  exists',
    'file x contains ""',
    'file x contains "open',
    'file x contains text',
    'file x\0 exists',
    'run',
    'run   ',
    'exists x',
    '',
  ])('%j is no check', (text) => {
    expect(parseCheck(text)).toBeUndefined();
  });

  it('never lets a path out of the project', () => {
    const part = fc.constantFrom('..', '.', 'a', '/', '\\', ' ', 'C:', '%2e%2e', '~');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const check = parseCheck(`file ${parts.join('')} exists`);
        if (check?.kind !== 'file-exists') return;
        expect(check.path).not.toMatch(/^\/|^\.\.(?:\/|$)|\\|^[A-Za-z]:/u);
      }),
    );
  });

  it('ticks a box and nothing else', () => {
    for (const box of ['[ ]', '[]', '[~]', '[ ~ ]', '[x]']) {
      expect(tickLine(`  12) ${box} 1.1 a [ ] b\t`)).toBe('  12) [x] 1.1 a [ ] b\t');
    }
  });

  it('stays quick on hostile lines', () => {
    const hostile = [
      `- [${' '.repeat(200_000)}`,
      `- [ ] ${'#'.repeat(200_000)}`,
      `${' '.repeat(200_000)}- x`,
      '- ['.repeat(100_000),
    ];
    expect(parseTasks(hostile.join('\n'))).toHaveLength(1);
  });
});
