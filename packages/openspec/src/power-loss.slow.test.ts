import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { leftovers, nextOperation, notes, START, undos, visible } from '../fixtures/before.ts';
import { loadTree, lossesAt, recordingOf, type Recording } from '../fixtures/power.ts';
import { scratch, type Scratch } from '../fixtures/scratch.ts';
import { attach, callsIn } from '../fixtures/strace.ts';
import { startWorker } from '../fixtures/worker.ts';

const CALLS = ['mkdir', 'openat', 'ftruncate', 'write', 'pwrite64', 'fsync', 'rename', 'link', 'unlink', 'rmdir'];

/**
 * Operations of `worker.mjs`. `first` is to open a change where there is no openspec folder yet, `again` to archive one that
 * was archived and taken back.
 */
const OPERATIONS = ['first', 'open', 'tick', 'archive', 'unarchive', 'again'] as const;
type Operation = (typeof OPERATIONS)[number];
const ASKED: Readonly<Record<string, string>> = { first: 'open', again: 'archive' };

interface State {
  readonly documents: string;
  readonly notes: Readonly<Record<string, string>>;
}

interface Recorded {
  readonly recording: Recording;
  readonly before: State;
  readonly after: State;
  /** The project before, for who takes by hand back what was told as done. */
  readonly start: Readonly<Record<string, string>>;
}

const stateOf = async (folder: Scratch): Promise<State> => ({
  documents: JSON.stringify([await visible(folder), await undos(folder)]),
  notes: await notes(folder),
});

const recorded = async (operation: Operation): Promise<Recorded> => {
  const logs = await mkdtemp(path.join(os.tmpdir(), 'strace-'));
  try {
    const start = operation === 'first' ? {} : START;
    await using worker = await startWorker();
    await using folder = await scratch(start);
    if (operation === 'again') {
      expect(await worker.ask('archive', folder.root)).toBe('ok');
      expect(await worker.ask('unarchive', folder.root, 'add-it')).toBe('ok');
    }
    const before = await stateOf(folder);
    const base = loadTree(folder.root);
    const log = path.join(logs, 'log');
    const tracing = await attach(worker.pid, { calls: CALLS, log, strings: 1_000_000 });
    expect(await worker.ask(ASKED[operation] ?? operation, folder.root)).toBe('ok');
    await tracing.stop();
    return {
      recording: recordingOf(await callsIn(log), folder.root, base),
      before,
      after: await stateOf(folder),
      start,
    };
  } finally {
    await rm(logs, { recursive: true, force: true });
  }
};

/**
 * Empty where the tree is whole after the next operation; else what is wrong with it. A note of what a change starts
 * from may be there early, for it is taken before anything else, but never late or in part.
 */
const wrongWith = async (folder: Scratch, { before, after }: Recorded, isTold: boolean): Promise<string> => {
  try {
    await nextOperation(folder);
  } catch (error) {
    return `the next operation is refused: ${codeOf(error) ?? String(error)}`;
  }
  if ((await leftovers(folder)).length > 0) return 'leftovers';
  if ((await readIgnored(folder)) !== '*\n') return 'our own folder is not ignored';
  const now = await stateOf(folder);
  const isAfter = now.documents === after.documents;
  if (!isAfter && isTold) return 'what was told as done is gone';
  if (!isAfter && now.documents !== before.documents) return 'neither before nor after';
  for (const [name, note] of Object.entries(now.notes)) {
    if (note !== after.notes[name] && (isAfter || note !== (before.notes[name] ?? ''))) return `the note of ${name}`;
  }
  return '';
};

const readIgnored = async (folder: Scratch): Promise<string> =>
  folder.read('openspec/.task-mcp/.gitignore').catch(() => 'gone');

/** Somebody takes back by hand what was told as done, then the power fails: it must not be done again. */
const isDoneAgain = async (folder: Scratch, { before, start }: Recorded): Promise<boolean> => {
  await using by = await scratch(start);
  const openspec = path.join(folder.root, 'openspec');
  for (const name of await readdir(openspec)) {
    if (name !== '.task-mcp') await rm(path.join(openspec, name), { recursive: true });
  }
  await cp(path.join(by.root, 'openspec'), openspec, { recursive: true });
  await nextOperation(folder);
  return (await stateOf(folder)).documents !== before.documents;
};

/** States that are wrong, of all that a power loss may leave; stops at the first where only one matters. */
const badStates = async (told: Recorded, isFirstEnough = false): Promise<{ states: number; bad: string[] }> => {
  const bad: string[] = [];
  let states = 0;
  const { steps } = told.recording;
  for (let moment = steps.length; moment >= 0; moment -= 1) {
    for (const save of lossesAt(told.recording, moment)) {
      const isTold = moment === steps.length;
      const wrongs: string[] = [];
      {
        await using folder = await scratch();
        save(folder.root);
        wrongs.push(await wrongWith(folder, told, isTold));
      }
      if (isTold && Object.keys(told.start).length > 0) {
        await using folder = await scratch();
        save(folder.root);
        wrongs.push((await isDoneAgain(folder, told)) ? 'what was taken back is done again' : '');
      }
      states += wrongs.length;
      bad.push(...wrongs.filter(Boolean).map((wrong) => `${wrong} after ${steps[moment - 1]?.line ?? 'nothing'}`));
      if (bad.length > 0 && isFirstEnough) return { states, bad };
    }
  }
  return { states, bad };
};

describe.runIf(process.platform === 'linux')('[F5] power loss', { timeout: 300_000 }, () => {
  it.each(OPERATIONS)('[T8.atomic] %s: whatever was not synced may be gone', async (operation) => {
    const { states, bad } = await badStates(await recorded(operation));
    expect(states).toBeGreaterThan(30);
    expect(bad).toEqual([]);
  });

  it.each(OPERATIONS)('%s: without any one of its syncs, this test fails', async (operation) => {
    const told = await recorded(operation);
    const { steps } = told.recording;
    const survivors: string[] = [];
    let mutants = 0;
    for (const [index, step] of steps.entries()) {
      if (step.kind !== 'sync') continue;
      mutants += 1;
      const without = { ...told.recording, steps: steps.filter((_, other) => other !== index) };
      const { bad } = await badStates({ ...told, recording: without }, true);
      if (bad.length === 0) survivors.push(step.line);
    }
    expect(mutants).toBeGreaterThan(2);
    expect(survivors).toEqual([]);
  });
});
