import { writeFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel, type Script } from '../../engine/src/model/port.fake.ts';
import { noteTasks, openBench } from './bench.fake.ts';
import { openTempProject, TASKS_FILE, type TempProject } from './lane.fake.ts';
import { worker } from './worker.fake.ts';

const open = (project: TempProject, script: Script = worker) => {
  const clock = openFakeClock();
  return openBench(project, { clock, journal: openFakeJournal(clock), model: openFakeModel(script) });
};

const write = (project: TempProject, text: string) => writeFileSync(path.join(project.root, TASKS_FILE), text);

describe('[E7.checks CHANGE_CONFLICT] a run whose tasks were edited', () => {
  it.each([
    ['another title', (text: string) => text.replace('1.2 Two', '1.2 Deploy')],
    ['another check', (text: string) => text.replace('Note 2', 'Note 9')],
    ['a check that cannot be read', (text: string) => `${text}  - check: what\n`],
    ['another note', (text: string) => `${text}  - in German\n`],
    ['no such task', (text: string) => text.replace('- [ ] 1.2', '- [ ] 1.3')],
  ])('(%s) fails before anything is spent on the task, and ticks nothing', async (_what, edit) => {
    await using project = await openTempProject(noteTasks(['One', 'Two']));
    const tasks = noteTasks(['One', 'Two']);
    let edited = '';
    const bench = await open(project, (request) => {
      if (edited === '') write(project, (edited = edit(tasks)));
      return worker(request);
    });
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect(bench.journal.state(runId).reason).toMatchObject({
      code: 'CHANGE_CONFLICT',
      message: 'Task 1.2 was edited since this run began; start a new run: clout run add-notes',
    });
    expect(bench.model.calls).toHaveLength(3);
    expect(await project.read(TASKS_FILE)).toBe(edited.replace('[ ] 1.1', '[x] 1.1'));
  });

  it('during the work on a task leaves the other one open', async () => {
    await using project = await openTempProject(noteTasks(['One']));
    const edited = noteTasks(['Another']);
    const bench = await open(project, (request) => {
      write(project, edited);
      return worker(request);
    });
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect(bench.journal.state(runId).reason?.code).toBe('CHANGE_CONFLICT');
    expect(await project.read(TASKS_FILE)).toBe(edited);
  });

  it('finds a task without a number that moved down', async () => {
    await using project = await openTempProject('- [ ] Think\n');
    const bench = await open(project);
    const runId = await bench.start();
    write(project, '- [ ] Sing\n- [ ] Think\n');
    expect(await bench.drive(runId)).toBe('completed');
    expect(await project.read(TASKS_FILE)).toBe('- [ ] Sing\n- [x] Think\n');
  });

  it.each(['archived', 'opened anew'])('a change of the same slug that was %s since is not worked on', async (how) => {
    await using project = await openTempProject(noteTasks(['One']));
    const bench = await open(project);
    const runId = await bench.start();
    const folder = path.join(project.root, 'openspec/changes/add-notes');
    if (how === 'archived') {
      const archive = path.join(project.root, 'openspec/changes/archive');
      await mkdir(archive);
      await rename(folder, path.join(archive, '2026-11-21-add-notes'));
      await mkdir(folder);
      write(project, noteTasks(['One']));
    } else await writeFile(path.join(folder, '.openspec.yaml'), 'opened: 2026-11-21T05:00:00Z\n');
    expect(await bench.drive(runId)).toBe('failed');
    expect(bench.journal.state(runId).reason).toMatchObject({
      code: 'CHANGE_CONFLICT',
      message: expect.stringContaining('is another one than this run began with') as string,
    });
    expect(bench.model.calls).toHaveLength(0);
    expect(await project.read(TASKS_FILE)).toBe(noteTasks(['One']));
  });
});
