import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunEvent } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { openStore, type Store } from '@cloutagent/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunOwner, type Drive } from './run-owner.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'clout-owner-'));
  store = await openStore({ dir: folder, clock: systemClock });
  const document = {
    format: 1 as const,
    kind: 'change' as const,
    slug: 'a-change',
    title: 'A change',
    model: 'claude-test',
    maxIterations: 5,
    maxAttempts: 2,
    maxTokens: 1000,
    system: 'Be brief.',
    tasks: [],
  };
  await store.start(
    { id: 'run_1', projectId: 'p', document, documentHash: 'hash', simulated: true, limitNanoUsd: null },
    [],
  );
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const status = async (): Promise<string> => (await store.run('run_1')).run.status;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

const owned = (drive: Drive): RunOwner =>
  new RunOwner(store, drive, () => undefined, { projectId: 'p', concurrent: 10, clock: systemClock });

const paused: RunEvent = {
  seq: 1,
  runId: 'run_1',
  at: 1_795_132_800_000,
  body: { type: 'run.state', status: 'paused', reason: null },
};

describe('the owner of runs', () => {
  it('begins nothing once it stops', async () => {
    let drives = 0;
    const owner = owned(async (_runId, { signal }) => {
      drives += 1;
      await aborted(signal);
    });
    owner.begin('run_1');
    const stopped = owner.stop();
    expect(() => owner.begin('run_2')).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }));
    await stopped;
    expect(() => owner.begin('run_1')).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }));
    expect(drives).toBe(1);
  });

  it('[X1.resume] loses no resume that comes between the pause and the end of its drive', async () => {
    const asked: (string | undefined)[] = [];
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const owner = owned(async (_runId, { unknown, onEvents, signal }) => {
      asked.push(unknown);
      if (asked.length > 1) return aborted(signal);
      // What is committed is told later than begin returns.
      await Promise.resolve();
      onEvents([paused]);
      return left;
    });
    owner.begin('run_1');
    const run = { ...(await store.run('run_1')).run, status: 'paused' as const };
    expect(owner.present(run).status).toBe('paused');
    owner.begin('run_1', 'skip');
    expect(owner.present(run).status).toBe('running');
    expect(asked).toEqual([undefined]);
    leave();
    await expect.poll(() => asked).toEqual([undefined, 'skip']);
    owner.begin('run_1', 'repeat');
    await owner.stop();
    expect(asked).toEqual([undefined, 'skip']);
  });

  it.each<[string, Drive]>([
    ['without a word', (_runId, { signal }) => aborted(signal)],
    ['with an error', (_runId, { signal }) => aborted(signal).then(() => Promise.reject(new Error('broken')))],
  ])('writes that a run is cancelled where its drive ends %s', async (_how, drive) => {
    const owner = owned(drive);
    owner.begin('run_1');
    await owner.cancel('run_1');
    expect(await status()).toBe('cancelled');
  });

  it('[RUN_CANCELLING] what was promised to be cancelled ends in no other way', async () => {
    let refused: unknown;
    const owner = owned(async (runId, { signal }) => {
      await aborted(signal);
      const claim = await store.claim(runId);
      await store
        .commit(claim, { state: { status: 'completed', reason: null } })
        .catch((error: unknown) => (refused = error));
    });
    owner.begin('run_1');
    await owner.cancel('run_1');
    expect(await status()).toBe('cancelled');
    expect(refused).toMatchObject({ code: 'RUN_CANCELLING' });
  });
});
