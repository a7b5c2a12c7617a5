import path from 'node:path';
import type { MoneyOp, NewRun } from '@cloutagent/contract';
import { limitedLevels } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';

/** Of each known call. */
export const usage = {
  inputTokens: 1000,
  cacheReadTokens: 5000,
  cacheWrite5mTokens: 100,
  cacheWrite1hTokens: 0,
  outputTokens: 50,
};

/** Runs of before the server was started, with what they spent: `$0.00325` a known call. */
export const fill = async (root: string): Promise<void> => {
  const store = await openStore({ dir: path.join(root, '.cloutagent'), clock: systemClock });
  for (const [id, user] of [
    ['run_a', 'ann'],
    ['run_b', 'bob'],
  ] as const) {
    const run: NewRun = {
      id,
      projectId: 'default',
      document: {
        format: 1,
        kind: 'change',
        slug: id.replace('run', 'change'),
        title: '',
        model: 'claude-sonnet-5-5',
        maxIterations: 1,
        maxAttempts: 1,
        maxTokens: 1,
        system: '',
        tasks: [],
      },
      documentHash: 'h',
      simulated: false,
      limitNanoUsd: null,
      startedBy: user,
    };
    await store.start(run, limitedLevels({ ...run, slug: run.document.slug }, null, new Map([['task[1]', 1e9]])));
    const claim = await store.claim(id);
    const reserve = (name: string): MoneyOp => ({
      op: 'reserve',
      id: `${id} ${name}`,
      stepKey: `task[1]/${name}`,
      attempt: 1,
      model: 'claude-sonnet-5-5',
      priceId: 'claude-sonnet-5-5@2026-10-07',
      amountNanoUsd: 10_000_000,
    });
    const settle = (name: string, outcome: 'known' | 'unknown' | 'released', amountNanoUsd: number): MoneyOp => ({
      op: 'settle',
      id: `${id} ${name}`,
      outcome,
      amountNanoUsd,
      usage: outcome === 'known' ? usage : null,
      requestId: null,
    });
    await store.commit(claim, { money: ['a', 'b', 'c'].map(reserve) });
    await store.commit(claim, {
      money: [settle('a', 'known', 3_250_000), settle('b', 'unknown', 10_000_000), settle('c', 'released', 0)],
      state: { status: 'completed', reason: null },
    });
  }
  await store.close();
};
