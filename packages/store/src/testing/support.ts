import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  BudgetLevel,
  Claim,
  Committed,
  MoneyOp,
  NewRun,
  RunDocument,
  StepRow,
  Unit,
  Usage,
} from '@cloutagent/contract';
import { systemClock, type Clock } from '@cloutagent/kit';
import type { LimitOrder } from '../budget.ts';
import { openStore, type Store } from '../store.ts';

/** A folder that ends with the block: `await using folder = await tempFolder()`. */
export const tempFolder = async (): Promise<AsyncDisposable & { readonly dir: string }> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'store-'));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
};

/** What keeps a journal, so that one suite runs over all of them. */
export interface Backend {
  readonly name: string;
  readonly open: (clock?: Clock) => Promise<OpenBackend>;
}

export interface OpenBackend extends AsyncDisposable {
  readonly store: Store;
  /** The same data through a new connection, as another process would see it. */
  reopen(): Promise<Store>;
}

const sqlite: Backend = {
  name: 'SQLite',
  open: async (clock = systemClock) => {
    const folder = await tempFolder();
    const opened: Store[] = [];
    const reopen = async (): Promise<Store> => {
      const store = await openStore({ dir: folder.dir, clock });
      opened.push(store);
      return store;
    };
    return {
      store: await reopen(),
      reopen,
      [Symbol.asyncDispose]: async () => {
        for (const store of opened) await store.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

export const BACKENDS: readonly Backend[] = [sqlite];

/** A clock that stands until it is told to go. */
export const handClock = (start = 1_700_000_000_000): Clock & { now: () => number; advance(ms: number): void } => {
  let at = start;
  return { now: () => at, monotonic: () => at, sleep: async () => undefined, advance: (ms) => (at += ms) };
};

export const PROJECT: BudgetLevel = { scope: 'project', id: 'prj' };
export const levelsOf = (runId: string): readonly BudgetLevel[] => [{ scope: 'run', id: runId }, PROJECT];

export const documentOf = (slug: string, tasks: readonly string[] = ['1.1', '1.2']): RunDocument => ({
  format: 1,
  kind: 'change',
  slug,
  title: `Title of ${slug}`,
  model: 'claude-test',
  maxIterations: 5,
  maxAttempts: 2,
  maxTokens: 1000,
  system: 'Be brief.',
  tasks: tasks.map((id) => ({ id, title: `Task ${id}`, prompt: 'Do it.', checks: [], unreadableChecks: [] })),
});

export const newRun = (
  id: string,
  options: { slug?: string; limit?: number | null; projectId?: string } = {},
): NewRun => ({
  id,
  projectId: options.projectId ?? PROJECT.id,
  document: documentOf(options.slug ?? id),
  documentHash: `hash of ${id}`,
  simulated: false,
  limitNanoUsd: options.limit ?? null,
});

/** Starts a run with a budget of its own and one of its project, and claims it. */
export const begin = async (
  store: Store,
  id: string,
  options: { slug?: string; limit?: number | null; projectLimit?: number | null } = {},
): Promise<Claim> => {
  await store.start(newRun(id, options), [
    { scope: 'run', id, limitNanoUsd: options.limit ?? null },
    { ...PROJECT, limitNanoUsd: options.projectLimit ?? null },
  ]);
  return store.claim(id);
};

export const stepRow = (key: string, over: Partial<StepRow> = {}): StepRow => ({
  key,
  kind: 'model',
  name: 'claude-test',
  inputHash: `hash of ${key}`,
  input: { key },
  output: { text: 'done' },
  isError: false,
  usage: null,
  costNanoUsd: 0,
  startedAt: 1,
  endedAt: 2,
  ...over,
});

export const USAGE: Usage = {
  inputTokens: 10,
  cacheReadTokens: 20,
  cacheWrite5mTokens: 30,
  cacheWrite1hTokens: 40,
  outputTokens: 50,
};

export const reserve = (
  _runId: string,
  id: string,
  amountNanoUsd: number,
  stepKey = 'task[1.1]/try[0]/turn[0]',
): MoneyOp => ({
  op: 'reserve',
  id,
  stepKey,
  attempt: 1,
  model: 'claude-test',
  priceId: 'price-1',
  amountNanoUsd,
});

/** The order that sets a limit over all time. */
export const limitOrder = (level: BudgetLevel, limitNanoUsd: number | null): LimitOrder => ({
  level,
  period: 'lifetime',
  limitNanoUsd,
  by: 'test',
});

export const settle = (
  id: string,
  amountNanoUsd: number,
  outcome: 'known' | 'unknown' | 'released' = 'known',
): MoneyOp => ({
  op: 'settle',
  id,
  outcome,
  amountNanoUsd,
  usage: outcome === 'known' ? USAGE : null,
  requestId: outcome === 'known' ? `req of ${id}` : null,
});

export const end = (store: Store, claim: Claim, status: NonNullable<Unit['state']>['status']): Promise<Committed> =>
  store.commit(claim, { state: { status, reason: null }, events: [{ type: 'run.state', status, reason: null }] });
