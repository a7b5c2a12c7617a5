import { codeOf } from '@cloutagent/contract';
import { hashOf } from '@cloutagent/engine';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel, say, use, type Script } from '../../engine/src/model/port.fake.ts';
import { noteTasks, openBench } from './bench.fake.ts';
import type { LaneDeps } from './deps.ts';
import { openTempProject, TASKS_FILE, type LaneOptions, type TempProject } from './lane.fake.ts';
import { draftRun } from './plan.ts';
import { worker } from './worker.fake.ts';

const open = (project: TempProject, script: Script = worker, more?: Partial<LaneOptions>) => {
  const clock = openFakeClock();
  return openBench(project, { clock, journal: openFakeJournal(clock), model: openFakeModel(script) }, more);
};

describe('[E7.checks] a run', () => {
  it('does one task after another, ticks what our checks prove, and is completed', async () => {
    await using project = await openTempProject(noteTasks(['One', 'Two']));
    const bench = await open(project);
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('completed');
    expect(await project.read('n2.txt')).toBe('Note 2');
    expect(await project.read(TASKS_FILE)).toMatch(/\[x\] 1\.1.*\[x\] 1\.2/su);
    expect(bench.outcomes()).toMatchObject([
      {
        taskId: '1.1',
        ticked: true,
        verification: 'checked',
        attempts: 1,
        evidence: [{ ok: true }],
        note: 'It is done.',
      },
      { taskId: '1.2', ticked: true, verification: 'checked' },
    ]);
    const types = bench.events.map(({ body }) => body.type);
    const call = ['model.started', 'model.finished', 'money'];
    const tool = ['tool.started', 'tool.finished'];
    const task = ['task.started', ...call, ...tool, ...call, ...tool, ...call, 'check.finished', 'task.finished'];
    expect(types).toEqual(['run.state', ...task, ...task, 'run.state']);
    expect(bench.events.map(({ seq }) => seq)).toEqual(types.map((_type, index) => index + 1));
    const { steps, status, ledger } = bench.journal.state(runId);
    expect(status).toBe('completed');
    expect([...steps.keys()].slice(0, 8)).toEqual([
      'task[1.1]/try[0]/turn[0]',
      'task[1.1]/try[0]/turn[0]/tool[0]',
      'task[1.1]/try[0]/turn[1]',
      'task[1.1]/try[0]/turn[1]/tool[0]',
      'task[1.1]/try[0]/turn[2]',
      'task[1.1]/try[0]/check[0]',
      'task[1.1]/tick',
      'task[1.1]',
    ]);
    const spent = [...ledger.values()].reduce((sum, row) => sum + row.amount, 0);
    const bill = bench.model.calls.reduce(
      (sum, { usage }) => sum + (usage?.inputTokens ?? 0) * 2000 + (usage?.outputTokens ?? 0) * 10_000,
      0,
    );
    expect(spent).toBe(bill);
  });

  it('[E7.enabled-tools E7.sorted] offers the file tools that tasks need and all tools of the other servers, sorted', async () => {
    await using project = await openTempProject(noteTasks(['One']));
    const bench = await open(project);
    await bench.drive(await bench.start());
    expect(bench.model.calls[0]?.request.tools.map(({ name }) => name)).toEqual([
      'mcp__filesystem__create_directory',
      'mcp__filesystem__edit_file',
      'mcp__filesystem__list_directory',
      'mcp__filesystem__read_text_file',
      'mcp__filesystem__write_file',
      'mcp__other__write_file',
    ]);
  });

  it('[E7.failed-check] goes on in the same conversation after a failed check, with its evidence', async () => {
    await using project = await openTempProject(noteTasks(['One (wrong first)', 'Two']));
    const bench = await open(project);
    expect(await bench.drive(await bench.start())).toBe('completed');
    expect(bench.outcomes()).toMatchObject([{ attempts: 2, ticked: true, evidence: [{ ok: true }] }, { attempts: 1 }]);
    const retry = bench.model.calls[3]?.request.messages ?? [];
    expect(retry.slice(0, -2)).toEqual(bench.model.calls[2]?.request.messages);
    expect(retry.at(-1)?.content).toBe(
      'These checks do not hold yet:\n- file n1.txt contains "Note 1": the text is not in it',
    );
    expect([...bench.journal.state(bench.events[0]?.runId ?? '').steps.keys()]).toContain('task[1.1]/try[1]/check[0]');
  });

  it('[E7.failed-check TASK_FAILED] stops at a task whose checks never hold, and leaves it and what follows open', async () => {
    await using project = await openTempProject(noteTasks(['One', 'Two', 'Three']));
    const bench = await open(project, (request) =>
      JSON.stringify(request.messages[0]).includes('Task 1.2') ? say('Trust me') : worker(request),
    );
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect(await project.read(TASKS_FILE)).toMatch(/\[x\] 1\.1.*\[ \] 1\.2.*\[ \] 1\.3/su);
    const asked = bench.model.calls.filter(({ request }) => JSON.stringify(request.messages[0]).includes('Task 1.2'));
    expect(asked).toHaveLength(3);
    expect(bench.outcomes()[1]).toMatchObject({
      ticked: false,
      verification: null,
      attempts: 3,
      evidence: [{ ok: false, detail: 'there is no such file' }],
    });
    expect(bench.journal.state(runId).reason).toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringMatching(
        /^Task 1\.2 stays open: .*file n2\.txt contains "Note 2": there is no such file/u,
      ) as string,
      details: { taskId: '1.2', evidence: [{ ok: false }] },
    });
    expect(bench.events.at(-1)?.body).toMatchObject({ type: 'run.state', status: 'failed' });
    expect(codeOf(await bench.drive(runId).catch((error: unknown) => error))).toBe('RUN_NOT_RESUMABLE');
  });

  it('[E7.max-iterations MAX_ITERATIONS] fails with the words so far when the agent uses up its turns', async () => {
    await using project = await openTempProject(noteTasks(['One']));
    const look = (nth: number) => ({ ...use(`t${nth}`, 'mcp__filesystem__list_directory', { path: project.root }) });
    const bench = await open(
      project,
      (_request, nth) => ({ ...look(nth), content: [{ type: 'text', text: 'Hm.' }, ...look(nth).content] }),
      { run: { maxIterations: 2 } },
    );
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect(bench.journal.state(runId).reason).toMatchObject({
      code: 'MAX_ITERATIONS',
      message: expect.stringContaining('Its last words: Hm.') as string,
    });
  });
});

describe('a task without checks', () => {
  it("[E7.unverified] is ticked on the agent's word, and recorded as unverified", async () => {
    await using project = await openTempProject('- [ ] Think\n');
    const bench = await open(project);
    expect(await bench.drive(await bench.start())).toBe('completed');
    expect(bench.outcomes()).toMatchObject([{ taskId: '#1', ticked: true, verification: 'unverified', evidence: [] }]);
    expect(await project.read(TASKS_FILE)).toBe('- [x] Think\n');
  });

  const put = (id: string, file: string) => use(id, 'mcp__filesystem__write_file', { path: file, content: 'x' });

  it('[E7.failed-call] stays open when one of its tool calls failed', async () => {
    await using project = await openTempProject('- [ ] Write\n');
    const bench = await open(project, (_request, nth) =>
      nth === 0 ? put('t1', `${project.root}/none/a.txt`) : say('Done!'),
    );
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('failed');
    expect(await project.read(TASKS_FILE)).toBe('- [ ] Write\n');
    expect(bench.journal.state(runId).reason?.message).toContain('filesystem:write_file');
  });

  it.each([[[]], [[{ type: 'text', text: ' ' }]]])(
    '[E7.unverified] stays open when the agent ends without a word: %j',
    async (content) => {
      await using project = await openTempProject('- [ ] Think\n');
      const bench = await open(project, (_request, nth) =>
        nth === 0
          ? use('t0', 'mcp__filesystem__list_directory', { path: project.root })
          : { content, stopReason: 'end_turn' },
      );
      const runId = await bench.start();
      expect(await bench.drive(runId)).toBe('failed');
      expect(bench.journal.state(runId).reason?.message).toContain('ended without a word');
      expect(await project.read(TASKS_FILE)).toBe('- [ ] Think\n');
    },
  );

  it('[E7.failed-call] is ticked when the same tool succeeded later', async () => {
    await using project = await openTempProject('- [ ] Write\n');
    const files = ['none/a.txt', 'a.txt'];
    const bench = await open(project, (_request, nth) =>
      nth < 2 ? put(`t${nth}`, `${project.root}/${files[nth]}`) : say('Done!'),
    );
    expect(await bench.drive(await bench.start())).toBe('completed');
  });
});

describe('what cannot be checked', () => {
  it('an unreadable check is never ticked, and nothing is spent on it', async () => {
    await using project = await openTempProject('- [ ] 1.1 Do it\n  - check: file /etc/passwd exists\n');
    const bench = await open(project);
    // As a run that was started before such checks were refused.
    const { document } = await draftRun(bench.deps, { slug: 'add-notes', simulated: false });
    const runId = 'run_1';
    const run = { id: runId, projectId: 'default', document, documentHash: hashOf(document), simulated: false };
    await bench.journal.start({ ...run, limitNanoUsd: 1e9 }, []);
    expect(await bench.drive(runId)).toBe('failed');
    expect(bench.journal.state(runId).reason?.message).toContain('file /etc/passwd exists');
    expect(bench.model.calls).toHaveLength(0);
    expect(await project.read(TASKS_FILE)).toContain('[ ] 1.1');
  });

  it('[E7.run-trusted NOT_TRUSTED] a command in a folder that is not trusted any more pauses the run before anything is spent', async () => {
    await using project = await openTempProject('- [ ] 1.1 Do it\n  - check: run npm test\n');
    const commands: string[] = [];
    const runCommand: LaneDeps['runCommand'] = async ({ command }) => {
      commands.push(command);
      return { exitCode: 0, output: 'ok' };
    };
    const bench = await open(project, worker, { runCommand, trusted: true });
    const runId = await bench.start();
    expect(await bench.drive(runId, { deps: { trusted: false } })).toBe('paused');
    expect(bench.journal.state(runId).reason).toMatchObject({
      code: 'NOT_TRUSTED',
      hint: expect.stringContaining('clout trust') as string,
    });
    expect([bench.model.calls.length, commands]).toEqual([0, []]);
    expect(await bench.drive(runId, { deps: { trusted: true } })).toBe('completed');
    expect(commands).toEqual(['npm test']);
    expect(bench.outcomes()).toMatchObject([{ verification: 'checked' }]);
  });
});
