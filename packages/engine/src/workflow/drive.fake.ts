import type { NewRun, RunDocument, RunEvent, TextDelta } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { ModelUse } from '../agent/model-attempt.ts';
import { openFakeModel, type FakeModel, type Script } from '../model/port.fake.ts';
import { loadPrices, priceFor } from '../model/price.ts';
import { openDrive, type Drive } from './drive.ts';
import { openFakeJournal, type FakeJournal } from './journal.fake.ts';

export interface FakeClock extends Clock {
  /** What was slept for, in milliseconds. */
  readonly slept: readonly number[];
}

/** Time that passes by a millisecond a look, and by sleeping. */
export const openFakeClock = (): FakeClock => {
  const slept: number[] = [];
  let time = Date.parse('2026-11-20T12:00:00Z');
  const tick = (): number => (time += 1);
  return {
    slept,
    now: tick,
    monotonic: tick,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      time += ms;
    },
  };
};

const document: RunDocument = {
  format: 1,
  kind: 'change',
  slug: 'add-login',
  title: 'Add login',
  model: 'claude-sonnet-5-5',
  maxIterations: 10,
  maxAttempts: 3,
  maxTokens: 8192,
  system: 'You work.',
  tasks: [],
};

export const RUN_LEVEL = { scope: 'run', id: 'run_1' } as const;
export const PROJECT_LEVEL = { scope: 'project', id: 'default' } as const;
export const LEVELS = [PROJECT_LEVEL, RUN_LEVEL] as const;

export interface Rig {
  readonly journal: FakeJournal;
  readonly clock: FakeClock;
  readonly model: FakeModel;
  readonly use: ModelUse;
  readonly controller: AbortController;
  readonly events: RunEvent[];
  readonly texts: TextDelta[];
  /** Claims the run, as a process does that starts or comes back. */
  drive(unknown?: 'repeat' | 'skip'): Promise<Drive>;
}

/** A run in a journal in memory with a scripted model; `limit` in nano-dollars. */
export const openRig = async (options: {
  readonly script: Script;
  readonly limit?: number | null;
  readonly projectLimit?: number | null;
  readonly maxTokens?: number;
  readonly model?: string;
}): Promise<Rig> => {
  const { script, limit = null, projectLimit = null, maxTokens = 8192, model: modelId = document.model } = options;
  const clock = openFakeClock();
  const journal = openFakeJournal(clock);
  const model = openFakeModel(script);
  const run: NewRun = {
    id: RUN_LEVEL.id,
    projectId: 'default',
    document,
    documentHash: '',
    simulated: false,
    limitNanoUsd: limit,
  };
  await journal.start(run, [
    { ...PROJECT_LEVEL, limitNanoUsd: projectLimit },
    { ...RUN_LEVEL, limitNanoUsd: limit },
  ]);
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const texts: TextDelta[] = [];
  return {
    journal,
    clock,
    model,
    use: { port: model, price: priceFor(loadPrices(), modelId), prefixes: journal, maxTokens },
    controller,
    events,
    texts,
    drive: async (unknown) =>
      openDrive(await journal.claim(run.id), LEVELS, {
        journal,
        clock,
        random: () => 0.5,
        signal: controller.signal,
        unknown,
        onText: (delta) => void texts.push(delta),
        onEvents: (more) => void events.push(...more),
      }),
  };
};
