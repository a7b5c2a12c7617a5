import { systemClock } from '@cloutagent/kit';
import type { Store } from '@cloutagent/store';
import type { RunStatus, Unit } from '@cloutagent/contract';
import { expect, it } from 'vitest';
// oxlint-disable-next-line no-restricted-imports -- the owner of runs is no public name of the server
import { RunOwner } from '../apps/server/src/run-owner.ts';
import { until } from './support/processes.ts';
import { openWorkflowBench, type WorkflowBench } from './support/workflow-bench.ts';

/** A promise that is kept from outside. */
const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
};

const WORKFLOW = {
  nodes: [
    { id: 'a', type: 'agent', data: { systemPrompt: 'a' } } as const,
    { id: 'b', type: 'agent', data: { systemPrompt: 'b' } } as const,
  ],
  edges: [{ source: 'a', target: 'b' }],
};

const isPause = (unit: Unit): boolean => unit.state?.status === 'paused';

/** The first pause of a run meets these gates on its way to the disk and back; everything else passes. */
const gated = (store: Store, before: Promise<void>, after: Promise<void>, onPause: () => void): Store => {
  let met = false;
  return {
    ...store,
    commit: async (claim, unit) => {
      if (met || !isPause(unit)) return store.commit(claim, unit);
      met = true;
      onPause();
      await before;
      const committed = await store.commit(claim, unit);
      await after;
      return committed;
    },
  };
};

const statusOf = async (bench: WorkflowBench, id: string): Promise<RunStatus> => (await bench.detail(id)).run.status;

/** What a process does at its start with what was under way. */
const startAgain = async (bench: WorkflowBench, owner: RunOwner): Promise<void> => {
  for (const id of await bench.store.unfinished('default')) owner.begin(id);
};

const moments = ['while its last call is under way', 'while it is being written', 'once it is written'] as const;

it.each(
  moments.flatMap((when) =>
    [false, true].map((crash) => ({ when, crash, so: crash ? 'a crash follows' : 'nothing else happens' })),
  ),
)(
  'a resume arriving before the pause is committed is not lost: it comes $when, and $so',
  async ({ when, crash }) => {
    const answer = gate();
    const asked = gate();
    await using bench = await openWorkflowBench({
      wrap: (port) => ({
        source: port.source,
        async *stream(request, options) {
          asked.open();
          await answer.opened;
          yield* port.stream(request, options);
        },
      }),
    });
    const toDisk = gate();
    const fromDisk = gate();
    const pausing = gate();
    const store = gated(bench.store, toDisk.opened, fromDisk.opened, pausing.open);
    const ownerOver = (over: Store): RunOwner =>
      new RunOwner(
        bench.store,
        (runId, call) => bench.drive(runId, { ...call, store: over }),
        () => undefined,
        {
          projectId: 'default',
          concurrent: 10,
          clock: systemClock,
        },
      );
    const owner = ownerOver(store);
    const id = await bench.start(WORKFLOW, { input: 'x' });
    owner.begin(id);
    await asked.opened;
    owner.pause(id);
    let resumed: Promise<void>;
    if (when === 'while its last call is under way') {
      resumed = owner.resume(id);
      answer.open();
      toDisk.open();
      fromDisk.open();
    } else {
      answer.open();
      await pausing.opened;
      if (when === 'once it is written') {
        toDisk.open();
        await until(async () => (await statusOf(bench, id)) === 'paused');
      }
      resumed = owner.resume(id);
      toDisk.open();
      fromDisk.open();
    }
    await resumed;
    // It was told that the run goes on: from here on nothing may forget it.
    const next = crash ? ownerOver(bench.store) : owner;
    if (crash) {
      void owner.stop();
      await startAgain(bench, next);
    }
    await expect.poll(() => statusOf(bench, id), { timeout: 10_000 }).toBe('completed');
    const { steps } = await bench.detail(id);
    expect(steps.filter(({ kind }) => kind === 'model').map(({ key }) => key)).toEqual([
      'a/try[0]/turn[0]',
      'b/try[0]/turn[0]',
    ]);
    await next.stop();
  },
  30_000,
);
