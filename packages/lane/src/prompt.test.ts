import { describe, expect, it } from 'vitest';
import { retryPrompt, systemPrompt, taskPrompt } from './prompt.ts';

const checks = [
  { kind: 'file-exists', path: 'a b.txt' },
  { kind: 'file-contains', path: 'a.txt', text: 'say "hi"\n' },
  { kind: 'run', command: 'npm test' },
] as const;

describe('[E7.checks] what an agent is told', () => {
  it('is the task, its notes, and what done means', () => {
    expect(taskPrompt({ id: '1.2', title: 'Write it', notes: ['- in German', 'soon'], checks: [...checks] })).toBe(
      `Task 1.2: Write it
- in German
soon

Done means:
- file a b.txt exists
- file a.txt contains "say \\"hi\\"\\n"
- command exits 0: npm test`,
    );
    expect(taskPrompt({ id: '#3', title: 'Think', notes: [], checks: [] })).toBe('Task #3: Think');
  });

  it('[E7.failed-check] is the checks that failed, each with what was found', () => {
    expect(
      retryPrompt([
        { check: checks[0], ok: false, detail: 'there is no such file' },
        { check: checks[2], ok: false, detail: 'exit code 1\nboom' },
      ]),
    ).toBe(`These checks do not hold yet:
- file a b.txt exists: there is no such file
- command exits 0: npm test: exit code 1
  boom`);
  });

  it('names the project folder on a line of its own', () => {
    const prompt = systemPrompt({ root: '/work/shop', slug: 'add-notes', title: 'Add notes' });
    expect(prompt.split('\n')).toContain('Project folder: /work/shop');
    expect(prompt).toContain('openspec/changes/add-notes/');
  });
});
