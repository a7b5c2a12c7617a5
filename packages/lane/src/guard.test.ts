import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel, say, use } from '../../engine/src/model/port.fake.ts';
import { toolOf } from '../../engine/src/agent/tool-port.fake.ts';
import { openBench } from './bench.fake.ts';
import { guardTools } from './guard.ts';
import { openFileTools, openTempProject, TASKS_FILE } from './lane.fake.ts';

const META = 'openspec/changes/add-notes/.openspec.yaml';

describe('[E7.checks] the guard', () => {
  it.each([
    ['read_text_file', '.cloutagent/token', 'closed'],
    ['list_directory', '.cloutagent', 'closed'],
    ['search_files', '.cloutagent/runs', 'closed'],
    ['write_file', 'a/../.cloutagent/token', 'closed'],
    ['write_file', '.CloutAgent/token', 'closed'],
    ['write_file', 'link/new/token', 'closed'],
    ['write_file', '.git/hooks/pre-commit', 'closed'],
    ['read_text_file', 'openspec/.task-mcp/lock/owner', 'closed'],
    ['read_text_file', 'elsewhere/runs.db', 'closed'],
    ['read_text_file', '~/x', 'begins with ~'],
    ['write_file', TASKS_FILE, 'not to be written'],
    ['edit_file', 'tasks-link', 'not to be written'],
    ['edit_file', META, 'not to be written'],
    ['create_directory', 'openspec/changes/archive/2026-01-01-add-notes', 'not to be written'],
    ['read_text_file', TASKS_FILE, 'open'],
    ['write_file', 'openspec/changes/add-notes/proposal.md', 'open'],
    ['write_file', 'src/tasks.md', 'open'],
    ['write_file', '.gitignore', 'open'],
    ['search_files', '.', 'open'],
  ] as const)('%s of %s: %s', async (name, file, why) => {
    await using project = await openTempProject('- [ ] Think\n');
    const { root } = project;
    await mkdir(path.join(root, '.cloutagent'));
    await symlink('.cloutagent', path.join(root, 'link'));
    await symlink(TASKS_FILE, path.join(root, 'tasks-link'));
    const guard = guardTools(openFileTools(root), {
      root,
      openspecDir: path.join(root, 'openspec'),
      others: [path.join(root, 'elsewhere')],
    });
    for (const asked of file.startsWith('~') ? [file] : [file, `${root}/${file}`]) {
      const said = await guard.refuse?.(toolOf(name), { path: asked });
      expect(said ?? 'open', asked).toContain(why);
    }
  });

  it('looks at every path of a call', async () => {
    await using project = await openTempProject('');
    const { root } = project;
    const guard = guardTools(openFileTools(root), { root, openspecDir: path.join(root, 'openspec'), others: [] });
    const refused = async (name: string, input: unknown) => (await guard.refuse?.(toolOf(name), input)) !== undefined;
    expect(await refused('read_multiple_files', { paths: ['a.txt', '.cloutagent/token'] })).toBe(true);
    expect(await refused('move_file', { source: 'a', destination: '.git/config' })).toBe(true);
    expect(await refused('move_file', { source: 'openspec/changes/add-notes', destination: 'b' })).toBe(true);
    expect(await refused('move_file', { source: 'a', destination: 'b' })).toBe(false);
  });

  it('keeps a refused call as a failed step without an intent, and the file as it was', async () => {
    await using project = await openTempProject('- [ ] 1.1 One\n  - check: file never.txt exists\n');
    await mkdir(path.join(project.root, '.cloutagent'));
    await writeFile(path.join(project.root, '.cloutagent/token'), 'secret');
    const before = await project.read(TASKS_FILE);
    const clock = openFakeClock();
    const model = openFakeModel((_request, nth) => {
      if (nth === 0) return use('t0', 'mcp__filesystem__read_text_file', { path: `${project.root}/.cloutagent/token` });
      if (nth === 1)
        return use('t1', 'mcp__filesystem__write_file', {
          path: `${project.root}/${TASKS_FILE}`,
          content: '- [x] 1.1 One',
        });
      return say('Done');
    });
    const tools = openFileTools(project.root);
    const journal = openFakeJournal(clock);
    const intents: string[] = [];
    const commit: typeof journal.commit = (claim, unit) => {
      intents.push(...(unit.intents ?? []).flatMap((intent) => (intent.key.includes('/tool[') ? [intent.key] : [])));
      return journal.commit(claim, unit);
    };
    const bench = await openBench(project, { clock, model, journal: { ...journal, commit } }, { tools });
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect([tools.calls, intents]).toEqual([[], []]);
    expect(await project.read(TASKS_FILE)).toBe(before);
    const steps = [...journal.state(runId).steps.values()].filter(({ kind }) => kind === 'tool');
    expect(steps.map(({ name, isError }) => [name, isError])).toEqual([
      ['filesystem:read_text_file', true],
      ['filesystem:write_file', true],
    ]);
    expect(JSON.stringify(model.calls.map(({ request }) => request))).not.toContain('secret');
  });
});
