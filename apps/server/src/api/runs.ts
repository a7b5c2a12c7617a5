import { allows, CloutError, parseUsd, type Principal, type Run } from '@cloutagent/contract';
import { CANCELLED } from '@cloutagent/engine';
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
      if (limit !== undefined) {
        requireRaise(context.principal, run.money.limit?.nanoUsd ?? null, limit);
        const level = { scope: 'run', id: runId } as const;
        await bench.store.setLimit({ level, period: 'lifetime', limitNanoUsd: limit, by: context.principal.name });
      }
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
