import { codeOf, toMoney } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel, say } from '../../engine/src/model/port.fake.ts';
import { hashOf } from '../../engine/src/workflow/hash.ts';
import { openLane, openTempProject, type TempProject } from './lane.fake.ts';
import { draftRun, planChange } from './plan.ts';
import { startRun } from './start.ts';

const TASKS = `- [x] 1.1 Done already
- [ ] 1.2 Write it
  in German
  - check: file a.txt exists
  - check: file a.txt contains "A"
- [ ] 1.3 Test it
  - check: run npm test
- [ ] 1.4 Think
`;
const FAULTY = `${TASKS}- [ ] 1.5 Escape
  - check: file ../a exists
`;

const open = async (project: TempProject, more: Partial<Parameters<typeof openLane>[0]> = {}) => {
  const clock = openFakeClock();
  const journal = openFakeJournal(clock);
  const model = openFakeModel(() => say('Hi'));
  return { journal, deps: await openLane({ root: project.root, journal, model, clock, ...more }) };
};
const REQUEST = { slug: 'add-notes', simulated: false } as const;
const caught = async (call: Promise<unknown>): Promise<unknown> => codeOf(await call.catch((error: unknown) => error));

describe('[X3.plan] a plan', () => {
  it('quotes every open task and the whole, and says how', async () => {
    await using project = await openTempProject(FAULTY);
    const { deps } = await open(project);
    const plan = await planChange(deps, REQUEST);
    expect(plan).toMatchObject({
      slug: 'add-notes',
      model: 'claude-sonnet-5-5',
      simulated: false,
      pricesAsOf: '2026-11-20',
    });
    expect(plan.tasks.map(({ id, title, checks, expectedCalls }) => [id, title, checks, expectedCalls])).toEqual([
      ['1.2', 'Write it', 2, 3],
      ['1.3', 'Test it', 1, 2],
      ['1.4', 'Think', 0, 2],
      ['1.5', 'Escape', 0, 2],
    ]);
    const sum = plan.tasks.reduce((total, task) => total + task.expected.nanoUsd, 0);
    expect(plan.expected.nanoUsd).toBe(sum);
    expect(plan.ceiling.nanoUsd).toBeGreaterThanOrEqual(4 * sum);
    expect(plan.ceiling.nanoUsd).toBeLessThan(4 * sum + 100_000);
    for (const task of plan.tasks) expect(task.ceiling.nanoUsd).toBeGreaterThanOrEqual(4 * task.expected.nanoUsd);
    expect(plan.derivation[0]).toBe(
      'claude-sonnet-5-5 costs $2 per million tokens of input and $10 of output (prices of 2026-11-20).',
    );
    expect(plan.derivation).toHaveLength(5);
  });

  it('warns of what will stop the run', async () => {
    await using project = await openTempProject(FAULTY);
    const { deps, journal } = await open(project);
    const { document } = await draftRun(deps, REQUEST);
    const run = { id: 'run_1', projectId: 'default', document, documentHash: hashOf(document), simulated: false };
    await journal.start({ ...run, limitNanoUsd: 1 }, [{ scope: 'project', id: 'default', limitNanoUsd: 1 }]);
    journal.setLimit({ scope: 'project', id: 'default' }, 1_000_000);
    const { warnings, budget } = await planChange(deps, { ...REQUEST, model: 'claude-sonnet-4-5' });
    expect(warnings).toEqual([
      'Task 1.5 has a check that cannot be read, so it is never ticked: file ../a exists',
      expect.stringContaining('Checks of the tasks 1.3 run commands'),
      "Tasks without checks are ticked on the agent's word: 1.4",
      expect.stringContaining("The project's budget has $0.0010 left"),
      'claude-sonnet-4-5 is served only until 2026-11-30',
    ]);
    expect(budget).toMatchObject({ limit: { nanoUsd: 1_000_000 }, free: { nanoUsd: 1_000_000 } });
    const trusting = await planChange({ ...deps, trusted: true }, REQUEST);
    expect(trusting.warnings.join()).not.toContain('run commands');
  });

  it('of a change that is done costs nothing', async () => {
    await using project = await openTempProject('- [x] 1.1 Done\n');
    const { deps } = await open(project);
    const plan = await planChange(deps, REQUEST);
    expect(plan).toMatchObject({ tasks: [], expected: { nanoUsd: 0 }, ceiling: { nanoUsd: 0 } });
    expect(plan.warnings[0]).toContain('nothing to run');
    expect(await caught(startRun(deps, REQUEST))).toBe('NOTHING_TO_RUN');
  });

  it.each([
    ['gpt-9', 'PRICE_UNKNOWN'],
    ['claude-3-opus-20240229', 'MODEL_RETIRED'],
  ])('[X1.unpriced] for %s is refused with %s', async (model, code) => {
    await using project = await openTempProject(TASKS);
    const { deps } = await open(project);
    expect(await caught(planChange(deps, { ...REQUEST, model }))).toBe(code);
    expect(await caught(startRun(deps, { ...REQUEST, model }))).toBe(code);
  });

  it('of a change that does not exist is CHANGE_NOT_FOUND', async () => {
    await using project = await openTempProject(TASKS);
    const { deps } = await open(project);
    expect(await caught(planChange(deps, { ...REQUEST, slug: 'no-such-change' }))).toBe('CHANGE_NOT_FOUND');
  });
});

describe('[X3.ceiling] a run that is started', () => {
  it('pins its document by hash and is limited by the ceiling that was quoted', async () => {
    await using project = await openTempProject(TASKS);
    const { deps, journal } = await open(project, { trusted: true });
    const plan = await planChange(deps, REQUEST);
    const { run, levels } = journal.state(await startRun(deps, REQUEST));
    expect(run.limitNanoUsd).toBe(plan.ceiling.nanoUsd);
    expect(run.documentHash).toBe(hashOf(run.document));
    expect(run.document).toMatchObject({
      format: 1,
      kind: 'change',
      slug: 'add-notes',
      maxIterations: 50,
      maxAttempts: 3,
      maxTokens: 8192,
    });
    if (run.document.kind !== 'change') throw new Error('another kind of document');
    expect(run.document.system).toContain(`Project folder: ${project.root}\n`);
    expect(run.document.tasks[0]).toMatchObject({
      id: '1.2',
      prompt: expect.stringMatching(/^Task 1\.2: Write it\nin German\n\nDone means:\n/u) as string,
    });
    // What is shared keeps the limits that it has.
    expect(levels.filter(({ scope }) => scope === 'task')).toEqual(
      plan.tasks.map(({ id, ceiling }) => ({
        scope: 'task',
        id: `${run.id}/task[${id}]`,
        place: `task[${id}]`,
        limitNanoUsd: ceiling.nanoUsd,
      })),
    );
    expect(levels.filter(({ scope }) => scope !== 'task')).toEqual([
      { scope: 'run', id: run.id, limitNanoUsd: plan.ceiling.nanoUsd },
      { scope: 'change', id: 'default/add-notes', limitNanoUsd: null },
      { scope: 'project', id: 'default', limitNanoUsd: null },
      { scope: 'global', id: 'all', limitNanoUsd: null },
    ]);
  });

  it('[X1.simulated] is paid from a budget of its own when it is simulated', async () => {
    await using project = await openTempProject(TASKS);
    const { deps, journal } = await open(project, { trusted: true });
    const { run, levels } = journal.state(await startRun(deps, { ...REQUEST, simulated: true, limitNanoUsd: 5 }));
    expect(run).toMatchObject({ simulated: true, limitNanoUsd: 5 });
    expect(levels.filter(({ scope }) => scope !== 'task')).toEqual([
      { scope: 'run', id: run.id, limitNanoUsd: 5 },
      { scope: 'change', id: 'default/add-notes:simulated', limitNanoUsd: null },
      { scope: 'project', id: 'default:simulated', limitNanoUsd: null },
      { scope: 'global', id: 'all:simulated', limitNanoUsd: null },
    ]);
    journal.setLimit({ scope: 'project', id: 'default:simulated' }, 7e9);
    expect((await planChange(deps, { ...REQUEST, simulated: true })).budget.limit).toEqual(toMoney(7e9));
    expect((await planChange(deps, REQUEST)).budget.limit).toBeNull();
  });
});
