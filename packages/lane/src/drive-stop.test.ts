import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel, type Script } from '../../engine/src/model/port.fake.ts';
import { ModelCallError } from '../../engine/src/model/port.ts';
import { noteTasks, openBench } from './bench.fake.ts';
import { CANCELLED } from '@cloutagent/engine';
import { openTempProject, type LaneOptions, type TempProject } from './lane.fake.ts';
import { planChange } from './plan.ts';
import { worker } from './worker.fake.ts';

const open = (project: TempProject, script: Script = worker, more?: Partial<LaneOptions>) => {
  const clock = openFakeClock();
  return openBench(project, { clock, journal: openFakeJournal(clock), model: openFakeModel(script) }, more);
};

describe('[X1.pause X1.resume BUDGET_EXHAUSTED] money', () => {
  it('at half the expected cost finishes a task, pauses between calls with the amount, and goes on after a raise, repeating nothing', async () => {
    await using project = await openTempProject(noteTasks());
    const bench = await open(project);
    const plan = await planChange(bench.deps, { slug: 'add-notes', simulated: false });
    const half = Math.floor(plan.expected.nanoUsd / 2);
    const runId = await bench.start(half);
    expect(await bench.drive(runId)).toBe('paused');
    expect(bench.outcomes().length).toBeGreaterThanOrEqual(1);
    const level = { scope: 'run', id: runId } as const;
    const [budget] = await bench.journal.budgets([level]);
    expect(budget?.spentNanoUsd).toBeLessThanOrEqual(half);
    expect(budget?.heldNanoUsd).toBe(0);
    const { reason } = bench.journal.state(runId);
    expect(reason).toMatchObject({
      code: 'BUDGET_EXHAUSTED',
      hint: expect.stringContaining(`clout runs resume ${runId} --budget`) as string,
      details: { scope: 'run', limitNanoUsd: half },
    });
    const needed = Number(reason?.details?.['neededNanoUsd']);
    const asked = bench.model.calls.length;

    // What it says it needs is enough for the next call.
    bench.journal.setLimit(level, (budget?.spentNanoUsd ?? 0) + needed);
    const status = await bench.drive(runId);
    expect(bench.model.calls.length).toBeGreaterThan(asked);
    bench.journal.setLimit(level, plan.ceiling.nanoUsd);
    expect(status === 'paused' ? await bench.drive(runId) : status).toBe('completed');
    expect(bench.model.calls).toHaveLength(15);
    expect(new Set(bench.model.calls.map(({ idempotencyKey }) => idempotencyKey.replace(/#.*/u, ''))).size).toBe(15);
    expect(bench.events.filter(({ body }) => body.type === 'task.started')).toHaveLength(5);
  });

  it('[X1.levels] of the project pauses the run too, and says whose it is', async () => {
    await using project = await openTempProject(noteTasks());
    const bench = await open(project);
    const runId = await bench.start();
    bench.journal.setLimit({ scope: 'project', id: 'default' }, 1_000_000);
    expect(await bench.drive(runId)).toBe('paused');
    expect(bench.journal.state(runId).reason).toMatchObject({
      message: expect.stringContaining("project's budget") as string,
      details: { scope: 'project' },
    });
  });
});

describe('what stops a run', () => {
  it.each([
    ['MODEL_UNAVAILABLE', 'paused'],
    ['MODEL_KEY_MISSING', 'paused'],
    ['MODEL_REQUEST_REFUSED', 'failed'],
  ] as const)('%s leaves it %s with the reason', async (code, status) => {
    await using project = await openTempProject(noteTasks());
    const bench = await open(project, () => {
      throw new ModelCallError(code, 'Because', { billing: 'none', retryable: false });
    });
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe(status);
    expect(bench.journal.state(runId)).toMatchObject({ status, reason: { code, message: 'Because' } });
  });

  it('[D7] a model that asks for an hour gets it: the run waits until then, whoever drives it', async () => {
    await using project = await openTempProject(noteTasks(['One']));
    const bench = await open(project, (request, nth) => {
      if (nth !== 1) return worker(request);
      const hour = { billing: 'none', retryable: true, retryAfterMs: 3_600_000 } as const;
      throw new ModelCallError('MODEL_RATE_LIMITED', 'Slowly', hour);
    });
    const runId = await bench.start();
    expect(await bench.drive(runId)).toBe('waiting');
    expect(bench.journal.state(runId)).toMatchObject({ status: 'waiting', reason: null });
    expect(await bench.drive(runId)).toBe('waiting');
    expect(bench.model.calls).toHaveLength(2);
    await bench.deps.clock.sleep(3_600_000);
    expect(await bench.drive(runId)).toBe('completed');
    expect([...bench.journal.state(runId).ledger.values()].map(({ outcome }) => outcome).slice(0, 3)).toEqual([
      'known',
      'released',
      'known',
    ]);
  });

  it.each([
    [CANCELLED, 'cancelled', 'cancelled'],
    ['stopping', 'interrupted', 'running'],
  ] as const)('an abort that says %s leaves it %s, with its money settled', async (why, status, stored) => {
    await using project = await openTempProject(noteTasks());
    const bench = await open(project, (request, nth) => (nth === 1 ? 'hang' : worker(request)));
    const runId = await bench.start();
    const controller = new AbortController();
    const done = bench.drive(runId, { signal: controller.signal });
    while (bench.model.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(why);
    expect(await done).toBe(status);
    const { ledger, ...state } = bench.journal.state(runId);
    expect(state.status).toBe(stored);
    expect([...ledger.values()].map(({ outcome }) => outcome)).toEqual(['known', 'unknown']);
  });

  it('a command that is stopped with the run says nothing, and runs again', async () => {
    await using project = await openTempProject('- [ ] 1.1 Test it\n  - check: run npm test\n');
    const controller = new AbortController();
    let runs = 0;
    const bench = await open(project, worker, {
      trusted: true,
      runCommand: async () => {
        runs += 1;
        if (runs > 1) return { exitCode: 0, output: '' };
        controller.abort('stopping');
        return { exitCode: null, output: 'stopped with the run' };
      },
    });
    const runId = await bench.start();
    expect(await bench.drive(runId, { signal: controller.signal })).toBe('interrupted');
    expect([...bench.journal.state(runId).steps.values()].filter(({ kind }) => kind === 'check')).toEqual([]);
    expect(await bench.drive(runId)).toBe('completed');
    expect(runs).toBe(2);
  });

  it('[DIVERGED] a document that is not the pinned one fails it', async () => {
    await using project = await openTempProject(noteTasks());
    const bench = await open(project);
    const runId = await bench.start();
    const claim = bench.journal.claim;
    const journal = {
      ...bench.deps.journal,
      claim: async (id: string) => {
        const found = await claim(id);
        return { ...found, run: { ...found.run, document: { ...found.run.document, system: 'Other' } } };
      },
    };
    expect(await bench.drive(runId, { deps: { journal } })).toBe('failed');
    expect(bench.journal.state(runId).reason?.code).toBe('DIVERGED');
    expect(bench.model.calls).toHaveLength(0);
  });

  it('a defect is thrown, and leaves the run to be resumed', async () => {
    await using project = await openTempProject(noteTasks(['One']));
    const bench = await open(project);
    const runId = await bench.start();
    const tools = async (): Promise<never> => {
      throw new TypeError('x is not a function');
    };
    await expect(bench.drive(runId, { deps: { tools } })).rejects.toThrow(TypeError);
    expect(bench.journal.state(runId).status).toBe('running');
    expect(await bench.drive(runId)).toBe('completed');
  });
});
