import { codeOf, type Claim, type NewRun, type RunEventBody, type StepRow } from '@cloutagent/contract';
import type { Journal } from '@cloutagent/engine';
import { describe, expect, it } from 'vitest';
import { runDocument } from './workflow-bench.ts';

/** A journal and whatever has to be closed with it. */
export interface OpenJournal extends AsyncDisposable {
  readonly journal: Journal;
}

const LEVEL = { scope: 'run', id: 'run_1' } as const;

const row = (key: string, over: Partial<StepRow> = {}): StepRow => ({
  key,
  kind: 'node',
  name: 'n',
  inputHash: `hash of ${key}`,
  input: 'in',
  output: { text: 'out' },
  isError: false,
  usage: null,
  costNanoUsd: 0,
  startedAt: 1,
  endedAt: 2,
  ...over,
});

const note = (title: string): RunEventBody => ({ type: 'task.started', taskId: title, title });

const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );

const start = async (
  journal: Journal,
  limitNanoUsd: number | null = null,
  over: Partial<NewRun> = {},
): Promise<Claim> => {
  const run = {
    id: 'run_1',
    projectId: 'p',
    document: runDocument({ nodes: [] }),
    documentHash: 'h',
    simulated: true,
    limitNanoUsd,
    ...over,
  };
  await journal.start(run, [{ ...LEVEL, limitNanoUsd }]);
  return journal.claim(run.id);
};

const reserve = (id: string, amountNanoUsd: number) => ({
  op: 'reserve' as const,
  id,
  stepKey: `step of ${id}`,
  attempt: 1,
  model: 'm',
  priceId: 'p',
  amountNanoUsd,
});

/**
 * What the engine relies on in any journal. A backend that passes this can drive runs; one that keeps them for longer than
 * a process also passes the suites of the store.
 */
export const describeJournal = (name: string, open: () => Promise<OpenJournal>): void => {
  describe(`the port Journal: ${name}`, () => {
    it('[X2.insert-only X2.diverged] keeps the first row of a key, and refuses every other', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal);
      await journal.commit(claim, { steps: [row('a')] });
      expect(await codeFrom(journal.commit(claim, { steps: [row('a', { inputHash: 'other' })] }))).toBe('DIVERGED');
      expect(await codeFrom(journal.commit(claim, { steps: [row('b'), row('a', { output: 'x' })] }))).toBeDefined();
      const { steps } = await journal.claim('run_1');
      expect(steps).toEqual([row('a')]);
    });

    it('[X2.fence D4] refuses everything of a driver that was replaced, and stores nothing of it', async () => {
      await using backend = await open();
      const { journal } = backend;
      const stale = await start(journal);
      const fresh = await journal.claim('run_1');
      expect(fresh.fence).toBeGreaterThan(stale.fence);
      const unit = { steps: [row('a')], events: [note('x')], money: [reserve('r1', 5)] };
      expect(await codeFrom(journal.commit(stale, unit))).toBe('FENCED');
      expect(await journal.events('run_1', 0, 10)).toEqual([]);
      expect((await journal.claim('run_1')).steps).toEqual([]);
      expect((await journal.budgets([LEVEL]))[0]).toMatchObject({ heldNanoUsd: 0, spentNanoUsd: 0 });
    });

    it('[X2.seq D12] numbers events without a gap, whoever commits at once, and gives them in order from anywhere', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal);
      const units = Array.from({ length: 40 }, (_, n) => ({ events: [note(`${n}a`), note(`${n}b`)] }));
      const committed = await Promise.all(units.map((unit) => journal.commit(claim, unit)));
      const events = await journal.events('run_1', 0, 1_000);
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 80 }, (_, n) => n + 1));
      // What a commit gives is what is stored, and the events of one unit stand beside each other.
      for (const { events: own } of committed) {
        expect(own[1]?.seq).toBe((own[0]?.seq ?? 0) + 1);
        expect(events[(own[0]?.seq ?? 0) - 1]).toEqual(own[0]);
      }
      const rest = await journal.events('run_1', 30, 7);
      expect(rest.map(({ seq }) => seq)).toEqual([31, 32, 33, 34, 35, 36, 37]);
    });

    it('[X2.atomic] stores all of a unit or nothing', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal, 10);
      const unit = { steps: [row('a')], events: [note('x')], money: [reserve('r1', 11)] };
      expect(await codeFrom(journal.commit(claim, unit))).toBe('BUDGET_EXHAUSTED');
      expect(await journal.events('run_1', 0, 10)).toEqual([]);
      expect((await journal.claim('run_1')).steps).toEqual([]);
    });

    it('[X2.tool-intent X2.effect-unknown] tells the next driver of a call that was begun and has no row', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal);
      const intent = (key: string) => ({ key, inputHash: 'h', repeatable: false, name: 'srv:tool' });
      await journal.commit(claim, { intents: [intent('a')] });
      await journal.commit(claim, { intents: [intent('b')] });
      await journal.commit(claim, { steps: [row('a')] });
      expect((await journal.claim('run_1')).openIntents).toEqual([intent('b')]);
    });

    it('[D3 D5] books what a driver left open at its bound as soon as the next one comes', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal, 100);
      await journal.commit(claim, { money: [reserve('r1', 30)] });
      expect((await journal.budgets([LEVEL]))[0]).toMatchObject({ heldNanoUsd: 30, spentNanoUsd: 0 });
      await journal.claim('run_1');
      expect((await journal.budgets([LEVEL]))[0]).toMatchObject({ heldNanoUsd: 0, spentNanoUsd: 30 });
    });

    it('[X5.fork] begins with the rows that a fork took over', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal, null, { seeded: [row('a'), row('b')] });
      expect(claim.steps.map(({ key }) => key)).toEqual(['a', 'b']);
    });

    it('keeps a run that waits, and what it waits for is gone with the next claim', async () => {
      await using backend = await open();
      const { journal } = backend;
      const claim = await start(journal);
      await journal.commit(claim, {
        steps: [row('a')],
        state: { status: 'waiting', reason: null, waits: [{ key: 'w', topic: 't', until: null }] },
      });
      const again = await journal.claim('run_1');
      expect(again.steps.map(({ key }) => key)).toEqual(['a']);
      await journal.commit(again, { state: { status: 'completed', reason: null } });
      expect(await codeFrom(journal.claim('run_1'))).toBeDefined();
    });

    it('knows no run that nobody started, and starts none twice', async () => {
      await using backend = await open();
      const { journal } = backend;
      expect(await codeFrom(journal.claim('run_1'))).toBe('RUN_NOT_FOUND');
      await start(journal);
      expect(await codeFrom(start(journal))).toBe('RUN_EXISTS');
    });
  });
};
