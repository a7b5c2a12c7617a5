import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { leftovers, nextOperation, START, visible } from '../fixtures/before.ts';
import { loadTree, lossesAt, recordingOf, type Recording } from '../fixtures/power.ts';
import { scratch, type Scratch } from '../fixtures/scratch.ts';
import { attach, callsIn } from '../fixtures/strace.ts';
import { startWorker } from '../fixtures/worker.ts';

const CALLS = ['mkdir', 'openat', 'write', 'pwrite64', 'fsync', 'rename', 'link', 'unlink', 'rmdir'];

interface Recorded {
  readonly recording: Recording;
  readonly root: string;
  readonly before: object;
  readonly after: object;
}

const recorded = async (operation: string): Promise<Recorded> => {
  const logs = await mkdtemp(path.join(os.tmpdir(), 'strace-'));
  try {
    await using worker = await startWorker();
    await using folder = await scratch(START);
    const before = await visible(folder);
    const base = loadTree(folder.root);
    const log = path.join(logs, 'log');
    const tracing = await attach(worker.pid, { calls: CALLS, log, strings: 1_000_000 });
    expect(await worker.ask(operation, folder.root)).toBe('ok');
    await tracing.stop();
    const recording = recordingOf(await callsIn(log), folder.root, base);
    return { recording, root: folder.root, before, after: await visible(folder) };
  } finally {
    await rm(logs, { recursive: true, force: true });
  }
};

/** Empty where the tree is whole after the next operation; else what is wrong with it. */
const wrongWith = async (
  folder: Scratch,
  { before, after }: Pick<Recorded, 'before' | 'after'>,
  isDone: boolean,
): Promise<string> => {
  try {
    await nextOperation(folder);
  } catch (error) {
    return `the next operation is refused: ${codeOf(error) ?? String(error)}`;
  }
  const now = JSON.stringify(await visible(folder));
  if (now === JSON.stringify(after)) return (await leftovers(folder)).length > 0 ? 'leftovers' : '';
  if (isDone) return 'what was told as done is gone';
  if (now === JSON.stringify(before)) return (await leftovers(folder)).length > 0 ? 'leftovers' : '';
  return 'neither before nor after';
};

/** States that are wrong, of all that a power loss may leave; stops at the first where only one matters. */
const badStates = async (told: Recorded, isFirstEnough = false): Promise<{ states: number; bad: string[] }> => {
  const bad: string[] = [];
  let states = 0;
  const { steps } = told.recording;
  for (let moment = steps.length; moment >= 0; moment -= 1) {
    for (const save of lossesAt(told.recording, moment)) {
      await using folder = await scratch();
      save(folder.root);
      states += 1;
      const wrong = await wrongWith(folder, told, moment === steps.length);
      if (wrong !== '') bad.push(`${wrong} after ${steps[moment - 1]?.line ?? 'nothing'}`);
      if (wrong !== '' && isFirstEnough) return { states, bad };
    }
  }
  return { states, bad };
};

/** Our own folder and what is in it for convenience: without the lock's mark and the notes (what a
 * change starts from, how to undo an archive), less is known, nothing lost. */
const OWN = /openspec>|\.task-mcp>|\.gitignore>|\/lock\/|\/lock>|\.bases\.json>/u;
const MOVE = /\/changes(?:\/archive)?>/u;
const OURS = /"bases"|^\{\n {2}"format": 1,\n {2}"slug"/u;

describe.runIf(process.platform === 'linux')('[F5] power loss', { timeout: 300_000 }, () => {
  it.each(['open', 'tick', 'archive', 'unarchive'])(
    '[T8.atomic] %s: whatever was not synced may be gone',
    async (operation) => {
      const { states, bad } = await badStates(await recorded(operation));
      expect(states).toBeGreaterThan(30);
      expect(bad).toEqual([]);
    },
  );

  it.each(['open', 'tick', 'archive'])('%s: without any one of its syncs, this test fails', async (operation) => {
    const told = await recorded(operation);
    const { steps } = told.recording;
    const survivors: string[] = [];
    const synced = new Map(steps.flatMap((step) => (step.kind === 'sync' ? [[step.of, step.line] as const] : [])));
    for (const [of, line] of synced) {
      const isOurs = steps.some((step) => step.kind === 'append' && step.of === of && OURS.test(step.data.toString()));
      if (isOurs || OWN.test(line)) continue;
      // A rename between two folders is safe as soon as one of them is synced: both syncs count as one.
      const isMove = MOVE.test(line);
      const kept = steps.filter(
        (step) => step.kind !== 'sync' || (step.of !== of && !(isMove && MOVE.test(step.line))),
      );
      const { bad } = await badStates({ ...told, recording: { ...told.recording, steps: kept } }, true);
      const what = steps.find((step) => step.kind === 'append' && step.of === of);
      if (bad.length === 0)
        survivors.push(
          `${line.replaceAll(told.root, '')}: ${what?.kind === 'append' ? what.data.toString().slice(0, 80) : ''}`,
        );
    }
    expect(survivors).toEqual([]);
  });
});
