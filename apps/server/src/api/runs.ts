import { allows, CloutError, parseUsd, type Principal, type Run } from '@cloutagent/contract';
import { CANCELLED, taskLevel } from '@cloutagent/engine';
import { startRun } from '@cloutagent/lane';
import { requireResumable } from '../run-owner.ts';
import { streamRun } from '../run-stream.ts';
import type { Workbench } from '../workbench.ts';
import { created, type Handlers } from './bind.ts';

type RunRoutes = 'runsList' | 'runStart' | 'runShow' | 'runEvents' | 'runResume' | 'runCancel';

const amount = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseUsd(text));

/** A higher limit gives money, so it needs an administrator. */
const requireRaise = (principal: Principal, before: number | null, after: number): void => {
  if (before !== null && after > before && !allows(principal, 'admin')) {
    throw new CloutError('FORBIDDEN', 'Raising the budget of a run needs the scope admin');
  }
};

/**
 * Sets the limit of a run, or of one of its nodes. Nodes share what a run gets beyond its limit, or the next of them would
 * stop at what was planned for less.
 */
const raiseLimit = async (
  bench: Workbench,
  run: Run,
  node: string | undefined,
  limitNanoUsd: number,
  principal: Principal,
): Promise<void> => {
  const period = 'lifetime';
  const by = principal.name;
  if (node !== undefined) {
    const level = taskLevel(run.id, node);
    const [budget] = await bench.store.budgets([level]);
    requireRaise(principal, budget?.limitNanoUsd ?? null, limitNanoUsd);
    await bench.store.setLimit({ level, period, limitNanoUsd, by });
    return;
  }
  const before = run.money.limit?.nanoUsd ?? null;
  requireRaise(principal, before, limitNanoUsd);
  await bench.store.setLimit({ level: { scope: 'run', id: run.id }, period, limitNanoUsd, by });
  if (before === null || before === 0 || limitNanoUsd <= before) return;
  for (const { scope, id, limit } of await bench.store.budgetViews(run.id)) {
    if (scope !== 'task' || limit === null) continue;
    const more = Math.floor(limit.nanoUsd * (limitNanoUsd / before));
    await bench.store.setLimit({ level: { scope, id }, period, limitNanoUsd: more, by });
  }
};

export const runHandlers = (bench: Workbench): Pick<Handlers, RunRoutes> => {
  const show = async (runId: string): Promise<Run> => bench.owner.present((await bench.store.run(runId)).run);
  return {
    runsList: async ({ query }) => {
      const page = await bench.store.runs({
        projectId: bench.projectId,
        limit: query.limit,
        offset: query.offset,
        ...(query.slug === undefined ? {} : { slug: query.slug }),
      });
      return { ...page, items: page.items.map((run) => bench.owner.present(run)) };
    },
    runStart: async ({ body, context }) => {
      const limit = amount(body.budget);
      bench.requireModel(body.simulate);
      await bench.requireData();
      const runId = await startRun(await bench.laneDeps(), {
        slug: body.slug,
        simulated: body.simulate,
        startedBy: context.principal.name,
        ...(body.model === undefined ? {} : { model: body.model }),
        ...(limit === undefined ? {} : { limitNanoUsd: limit }),
      });
      bench.owner.begin(runId);
      return created(await show(runId));
    },
    runShow: async ({ params }) => {
      const detail = await bench.store.run(params['id'] ?? '');
      return { ...detail, run: bench.owner.present(detail.run) };
    },
    runEvents: async ({ params, query, context }) => {
      const runId = params['id'] ?? '';
      await bench.store.run(runId);
      const header = Number(context.headers['last-event-id'] ?? '');
      const after = query.after ?? (Number.isSafeInteger(header) && header > 0 ? header : 0);
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        heartbeat: true,
        run: (writer) => streamRun(bench, runId, after, writer),
      };
    },
    runResume: async ({ params, body, context }) => {
      const runId = params['id'] ?? '';
      const run = await show(runId);
      requireResumable(run);
      const limit = amount(body.budget);
      if (limit !== undefined) await raiseLimit(bench, run, body.node, limit, context.principal);
      if (run.status !== 'completed') {
        bench.requireModel(run.simulated);
        await bench.requireData();
        await bench.owner.resume(runId, body.unknown);
      }
      return show(runId);
    },
    runCancel: async ({ params }) => {
      const runId = params['id'] ?? '';
      const run = await show(runId);
      if (['completed', 'failed', CANCELLED].includes(run.status)) {
        throw new CloutError('RUN_NOT_RESUMABLE', `Run ${run.id} is ${run.status} already`, {
          hint: 'There is nothing to cancel',
        });
      }
      await bench.owner.cancel(runId);
      return show(runId);
    },
  };
};
