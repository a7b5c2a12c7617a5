import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftovers, nextOperation, START, visible } from '../fixtures/before.ts';
import { scratch, type Scratch } from '../fixtures/scratch.ts';
import { attach, callsIn, type Call } from '../fixtures/strace.ts';
import { startWorker, type Worker } from '../fixtures/worker.ts';

/** Every call by which Node changes files, and the opening of them. */
const CALLS = ['mkdir', 'openat', 'write', 'pwrite64', 'fsync', 'rename', 'link', 'unlink', 'rmdir'];
const OPERATIONS = ['open', 'tick', 'archive', 'unarchive'] as const;
type Operation = (typeof OPERATIONS)[number];

let logs: string;
beforeAll(async () => {
  logs = await mkdtemp(path.join(os.tmpdir(), 'strace-'));
});
afterAll(async () => rm(logs, { recursive: true, force: true }));

interface Recorded {
  readonly points: readonly Call[];
  readonly before: object;
  readonly after: object;
}

const known = new Map<Operation, Promise<Recorded>>();

const recorded = (operation: Operation): Promise<Recorded> => {
  const told = known.get(operation) ?? record(operation);
  known.set(operation, told);
  return told;
};

/** The calls of one undisturbed operation that change files below its root, and the state before and after. */
const record = async (operation: Operation): Promise<Recorded> => {
  await using worker = await startWorker();
  await warm(worker);
  await using folder = await scratch(START);
  const before = await visible(folder);
  const log = path.join(logs, operation);
  const tracing = await attach(worker.pid, { calls: CALLS, log });
  expect(await worker.ask(operation, folder.root)).toBe('ok');
  await tracing.stop();
  const calls = await callsIn(log);
  const isChange = ({ name, line }: Call): boolean =>
    line.includes(folder.root) && !line.includes('= -1 ') && (name !== 'openat' || line.includes('O_CREAT'));
  return { points: calls.filter(isChange), before, after: await visible(folder) };
};

/** The first operation compiles; what it loads is not part of the sweep. */
const warm = async (worker: Worker): Promise<void> => {
  for (const operation of OPERATIONS) {
    await using folder = await scratch(START);
    expect(await worker.ask(operation, folder.root)).toBe('ok');
  }
};

const disturbed = async (
  worker: Worker,
  { operation, point, fault, folder }: { operation: Operation; point: Call; fault: string; folder: Scratch },
): Promise<unknown> => {
  const log = path.join(logs, `${operation}-${worker.pid}`);
  const inject = `${point.name}:${fault}:when=${point.nth}`;
  const tracing = await attach(worker.pid, { calls: [point.name], log, inject });
  const told = await worker.ask(operation, folder.root);
  await tracing.stop();
  return told;
};

/** Whole before or whole after, nothing left over, and doing it again leads to the end. */
const expectWhole = async (
  folder: Scratch,
  ends: { readonly before: object; readonly after: object; readonly allowed: readonly object[] },
  { operation, what }: { operation: Operation; what: string },
  worker: Worker,
): Promise<void> => {
  await nextOperation(folder);
  expect(ends.allowed, what).toContainEqual(await visible(folder));
  expect(await leftovers(folder), what).toEqual([]);
  const again = await worker.ask(operation, folder.root);
  expect(['ok', 'CHANGE_ALREADY_EXISTS', 'CHANGE_ALREADY_ARCHIVED', 'CHANGE_NOT_FOUND'], what).toContain(again);
  expect(await visible(folder), what).toEqual(ends.after);
};

describe.runIf(process.platform === 'linux')('every system call', { timeout: 300_000 }, () => {
  it.each(OPERATIONS)(
    '[F3] [T8.atomic] %s: killed there, the next operation finds a whole state',
    async (operation) => {
      const { points, before, after } = await recorded(operation);
      expect(points.length).toBeGreaterThan(8);
      await using checker = await startWorker();
      let killed = 0;
      let upcoming = startWorker();
      for (const point of points) {
        await using victim = await upcoming;
        upcoming = startWorker();
        await using folder = await scratch(START);
        await warmOnce(victim, operation);
        const told = await disturbed(victim, { operation, point, fault: 'signal=KILL', folder });
        if (told === undefined) killed += 1;
        const what = `${operation} killed at ${point.name} ${point.nth}: ${point.line}`;
        await expectWhole(folder, { before, after, allowed: [before, after] }, { operation, what }, checker);
      }
      await (await upcoming)[Symbol.asyncDispose]();
      expect(killed).toBe(points.length);
    },
  );

  it.each(OPERATIONS)('[F4] %s: ENOSPC and EIO there are told, and the process goes on', async (operation) => {
    const { points, before, after } = await recorded(operation);
    let worker = await startWorker();
    await warm(worker);
    const codes = { ENOSPC: 'STORAGE_FULL', EIO: 'STORAGE_FAILED' };
    const told = new Map<string, number>();
    let lost = 0;
    for (const [errno, code] of Object.entries(codes)) {
      for (const point of points) {
        await using folder = await scratch(START);
        const answer = await disturbed(worker, { operation, point, fault: `error=${errno}`, folder });
        if (answer === undefined) {
          // The fault hit the pipe to us instead of a file, for counts vary a little.
          await worker[Symbol.asyncDispose]();
          worker = await startWorker();
          await warm(worker);
          lost += 1;
          continue;
        }
        const what = `${operation}: ${errno} at ${point.name} ${point.nth}: ${point.line}`;
        expect(['ok', code], what).toContain(answer);
        told.set(String(answer), (told.get(String(answer)) ?? 0) + 1);
        const allowed = answer === 'ok' ? [after] : [before, after];
        await expectWhole(folder, { before, after, allowed }, { operation, what }, worker);
      }
    }
    await worker[Symbol.asyncDispose]();
    expect(lost).toBeLessThan(points.length / 5);
    expect(told.get('STORAGE_FULL')).toBeGreaterThan(5);
    expect(told.get('STORAGE_FAILED')).toBeGreaterThan(5);
  });

  it.each([
    ['EROFS', 'mkdir', 'STORAGE_READONLY'],
    ['EROFS', 'openat', 'STORAGE_READONLY'],
    ['EDQUOT', 'fsync', 'STORAGE_FULL'],
    ['EDQUOT', 'openat', 'STORAGE_FULL'],
    ['EMFILE', 'openat', 'STORAGE_FAILED'],
    ['EACCES', 'rename', 'STORAGE_READONLY'],
    ['EACCES', 'openat', 'STORAGE_READONLY'],
  ])('[F4] %s at %s is %s', async (errno, call, code) => {
    await using worker = await startWorker();
    await warm(worker);
    for (const operation of OPERATIONS) {
      const { points, before, after } = await recorded(operation);
      const point = points.findLast(({ name }) => name === call);
      if (point === undefined) continue;
      await using folder = await scratch(START);
      const answer = await disturbed(worker, { operation, point, fault: `error=${errno}`, folder });
      const what = `${operation}: ${errno} at ${call} ${point.nth}`;
      expect(['ok', code], what).toContain(answer);
      await expectWhole(folder, { before, after, allowed: [before, after] }, { operation, what }, worker);
    }
  });
});

const warmOnce = async (worker: Worker, operation: Operation): Promise<void> => {
  await using folder = await scratch(START);
  expect(await worker.ask(operation, folder.root)).toBe('ok');
};
