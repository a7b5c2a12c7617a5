import { diffWorkflows } from '@cloutagent/engine';
import type { Run } from '@cloutagent/contract';
import { streamFrames } from '../run-frames.ts';
import type { Workbench } from '../workbench.ts';
import { forkWorkflow, judgeWorkflow, planWorkflow, replayRun, startWorkflow } from '../workflow-run.ts';
import { created, type Handlers } from './bind.ts';

type WorkflowRoutes =
  | 'workflowRun'
  | 'workflowPlan'
  | 'workflowValidate'
  | 'workflowsList'
  | 'workflowImport'
  | 'workflowVersions'
  | 'workflowExport'
  | 'workflowDiff'
  | 'workflowRollback'
  | 'runFork'
  | 'runReplay'
  | 'runPause'
  | 'runFrames';

export const workflowHandlers = (bench: Workbench): Pick<Handlers, WorkflowRoutes> => {
  const show = async (runId: string): Promise<Run> => bench.owner.present((await bench.store.run(runId)).run);
  return {
    workflowValidate: ({ body }) => judgeWorkflow(bench, body.workflow, body.workflows),
    workflowsList: async () => ({ workflows: await bench.workflows.list() }),
    workflowImport: async ({ body, context }) => {
      await bench.requireData();
      return created(await bench.workflows.store(body.workflow, context.principal.name, body.note));
    },
    workflowVersions: async ({ params }) => ({ versions: await bench.workflows.versions(params['name'] ?? '') }),
    workflowExport: ({ params, query }) => bench.workflows.read(params['name'] ?? '', query.version),
    workflowDiff: async ({ params, query: { from, to } }) => {
      const name = params['name'] ?? '';
      const before = await bench.workflows.read(name, from);
      const after = await bench.workflows.read(name, to);
      return { name, from, to, changes: [...diffWorkflows(before.workflow, after.workflow)] };
    },
    workflowRollback: async ({ params, body, context }) => {
      await bench.requireData();
      return created(await bench.workflows.rollBack(params['name'] ?? '', body.version, context.principal.name));
    },
    workflowPlan: ({ body }) => planWorkflow(bench, body),
    workflowRun: async ({ body, context }) => {
      bench.requireModel(body.simulate);
      await bench.requireData();
      const runId = await startWorkflow(bench, body, context.principal.name);
      bench.owner.begin(runId);
      return created(await show(runId));
    },
    runFork: async ({ params, body, context }) => {
      const of = params['id'] ?? '';
      bench.requireModel((await show(of)).simulated);
      await bench.requireData();
      const runId = await forkWorkflow(bench, of, body, context.principal.name);
      bench.owner.begin(runId);
      return created(await show(runId));
    },
    runReplay: ({ params, body }) => replayRun(bench, params['id'] ?? '', body.workflow),
    runPause: async ({ params }) => {
      const runId = params['id'] ?? '';
      await bench.store.run(runId);
      bench.owner.pause(runId);
      return show(runId);
    },
    runFrames: async ({ params }) => {
      const runId = params['id'] ?? '';
      await bench.store.run(runId);
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        heartbeat: true,
        run: (writer) => streamFrames(bench, runId, writer),
      };
    },
  };
};
