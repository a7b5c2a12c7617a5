import type { Claim, Unit } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal, type FakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel } from '../../engine/src/model/port.fake.ts';
import { driveRun } from './drive.ts';
import { openFileTools, openLane, openTempProject, TASKS_FILE } from './lane.fake.ts';
import { startRun } from './start.ts';
import { worker } from './worker.fake.ts';

const TASKS = `- [ ] 1.1 One
  - check: file a.txt contains "A"
- [ ] 1.2 Two (wrong first)
  - check: file b.txt contains "B"
- [ ] 1.3 Think
`;

class Killed extends Error {}

/** A journal whose process dies at its nth commit (from 1): before it is durable, or after. Dead, it does nothing more. */
const dyingAt = (
  journal: FakeJournal,
  nth: number,
  when: 'before' | 'after',
): FakeJournal & { readonly died: () => boolean } => {
  let commits = 0;
  let dead = false;
  const alive = <T>(work: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Killed()) : work());
  return {
    ...journal,
    died: () => dead,
    budgets: (levels) => alive(() => journal.budgets(levels)),
    putPrefixTokens: (...args) => alive(() => journal.putPrefixTokens(...args)),
    commit: (claim: Claim, unit: Unit) =>
      alive(async () => {
        commits += 1;
        if (commits !== nth) return journal.commit(claim, unit);
        dead = true;
        if (when === 'after') await journal.commit(claim, unit);
        throw new Killed();
      }),
  };
};

const open = async (root: string) => {
  const clock = openFakeClock();
  const journal = openFakeJournal(clock);
  const model = openFakeModel(worker);
  const tools = openFileTools(root);
  const deps = await openLane({ root, journal, model, clock, tools });
  const runId = await startRun(deps, { slug: 'add-notes', simulated: false, limitNanoUsd: 10e9 });
  const drive = (through: FakeJournal) =>
    driveRun({ ...deps, journal: { ...deps.journal, ...through } }, runId, {
      signal: new AbortController().signal,
      onText: () => undefined,
      onEvents: () => undefined,
    });
  return { journal, model, tools, runId, drive };
};
type Bench = Awaited<ReturnType<typeof open>>;

/** claude-sonnet-5-5 by the published list: $2 and $10 per million tokens. */
const billOf = (usage: Bench['model']['calls'][number]['usage']): number =>
  (usage?.inputTokens ?? 0) * 2000 + (usage?.outputTokens ?? 0) * 10_000;

/** What must hold of a completed run, whatever happened on the way. */
const audit = async ({ journal, model, tools, runId }: Bench, killed: number): Promise<void> => {
  const { steps, ledger, events, status } = journal.state(runId);
  expect(status).toBe('completed');
  const rows = [...ledger.values()];
  const billOfRow = (row: (typeof rows)[number]): number[] =>
    model.calls
      .filter((call) => call.idempotencyKey === `${runId}:${row.stepKey}#${row.attempt}`)
      .map((call) => billOf(call.usage));
  for (const row of rows) {
    const bills = billOfRow(row);
    expect(bills.length, `${row.stepKey}#${row.attempt} is sent at most once`).toBeLessThanOrEqual(1);
    if (row.outcome === 'known') expect(bills).toEqual([row.amount]);
    else {
      expect(row.outcome).toBe('unknown');
      expect(row.amount).toBe(row.bound);
      expect(row.bound).toBeLessThanOrEqual(row.reserved);
      expect(bills[0] ?? 0).toBeLessThanOrEqual(row.amount);
    }
  }
  const modelSteps = [...steps.values()].filter(({ kind }) => kind === 'model');
  for (const { key } of modelSteps) {
    const known = rows.filter((row) => row.stepKey === key && row.outcome === 'known');
    expect(known, `${key} is paid once`).toHaveLength(1);
    expect(
      rows.findLast((row) => row.stepKey === key),
      `${key} is not asked again`,
    ).toBe(known[0]);
  }
  expect(rows.filter(({ outcome }) => outcome === 'unknown').length).toBeLessThanOrEqual(killed);
  expect(model.calls.length - modelSteps.length).toBeLessThanOrEqual(killed);
  const toolSteps = [...steps.values()].filter(({ kind }) => kind === 'tool');
  expect(tools.calls.length - toolSteps.length).toBeLessThanOrEqual(killed);
  expect(await journal.budgets([{ scope: 'run', id: runId }])).toMatchObject([
    { spentNanoUsd: rows.reduce((sum, row) => sum + row.amount, 0), heldNanoUsd: 0 },
  ]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
  const told = events.flatMap(({ body }) => (body.type === 'task.started' ? [body.taskId] : []));
  expect(told).toEqual(['1.1', '1.2', '1.3']);
  const finished = events.flatMap(({ body }) => (body.type === 'task.finished' ? [body.outcome.taskId] : []));
  expect(finished).toEqual(['1.1', '1.2', '1.3']);
};

/** Kills at the commits of an undisturbed run, one after another, each in a run of its own. */
const sweep = async (when: 'before' | 'after'): Promise<number> => {
  for (let nth = 1; ; nth += 1) {
    await using project = await openTempProject(TASKS);
    const bench = await open(project.root);
    const dying = dyingAt(bench.journal, nth, when);
    const status = await bench.drive(dying).catch((error: unknown) => error);
    if (!dying.died()) {
      expect(status).toBe('completed');
      await audit(bench, 0);
      return nth - 1;
    }
    expect(status).toBeInstanceOf(Killed);
    // The last commit of a run may have completed it.
    if (bench.journal.state(bench.runId).status === 'running')
      expect(await bench.drive(bench.journal)).toBe('completed');
    await audit(bench, 1);
    expect(await project.read(TASKS_FILE)).not.toContain('[ ]');
    expect(await project.read('b.txt')).toBe('B');
  }
};

describe('[X2.kill X2.no-repeat X1.unknown X1.ledger-exact] a driver that dies', () => {
  it.each(['before', 'after'] as const)(
    'right %s any commit is replaced by one that completes the run and repeats nothing that is recorded',
    async (when) => {
      expect(await sweep(when)).toBeGreaterThan(40);
    },
    60_000,
  );

  it('at every third commit, again and again, gets there in the end', async () => {
    await using project = await openTempProject(TASKS);
    const bench = await open(project.root);
    let killed = 0;
    for (;;) {
      const dying = dyingAt(bench.journal, 4 + (killed % 3), killed % 2 === 0 ? 'before' : 'after');
      const status = await bench.drive(dying).catch((error: unknown) => error);
      if (status === 'completed' || bench.journal.state(bench.runId).status === 'completed') break;
      killed += 1;
      expect(killed).toBeLessThan(200);
    }
    expect(killed).toBeGreaterThan(5);
    await audit(bench, killed);
  });
});
