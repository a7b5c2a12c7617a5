import type { Register } from '../context.ts';
import { followRun } from '../follow.ts';
import { given, oneOf, usd, wholeNumber } from '../option.ts';
import { resolveRunId } from '../run-id.ts';
import { showEnd, showRun, showRuns } from '../show/run.ts';
import { registerDecisions } from './runs-decide.ts';
import { registerForks } from './runs-fork.ts';
import { withKey } from '../with-key.ts';
import { withServer } from '../with-server.ts';

const RUN = '<run>';
const RUN_HELP = 'id of the run, a unique beginning of it, or "last"';

export const registerRuns: Register = (program, context) => {
  const runs = program
    .command('runs')
    .description('look at runs, watch, resume, pause and cancel them, decide what they ask, fork and replay them');
  const { output } = context;
  runs
    .command('list')
    .description('runs, newest first')
    .option('--change <slug>', 'of this change')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 200), 50)
    .option('--offset <n>', 'leave out so many', wholeNumber(0, 1_000_000), 0)
    .action(
      context.action(async (options: { change?: string; limit: number; offset: number }) =>
        withServer(context, async (session) => {
          const page = await session.call('runsList', {
            query: { limit: options.limit, offset: options.offset, slug: options.change },
          });
          output.result(page, () => showRuns(page, output.style));
          return 0;
        }),
      ),
    );
  runs
    .command('show')
    .argument(RUN, RUN_HELP)
    .description('one run with its tasks, money and steps')
    .action(
      context.action(async (text: string) =>
        withServer(context, async (session) => {
          const run = await resolveRunId(session, text);
          const detail = await session.call('runShow', { params: { id: run } });
          const { items } = await session.call('approvalsList', { query: { run } });
          output.result(detail, () => showRun(detail, items, output.style));
          return 0;
        }),
      ),
    );
  runs
    .command('watch')
    .argument(RUN, RUN_HELP)
    .description('follow a run until it ends or pauses; exit code by how it ended')
    .action(
      context.action(async (text: string) =>
        withServer(context, async (session) => {
          const { run } = await session.call('runShow', {
            params: { id: await resolveRunId(session, text) },
          });
          return followRun(context, session, run, { after: 0, resume: false });
        }),
      ),
    );
  runs
    .command('resume')
    .argument(RUN, RUN_HELP)
    .description('go on with a paused or interrupted run; finished steps are not repeated')
    .option('--budget <usd>', 'new limit of the run', usd)
    .option('--node <name>', 'the new limit is that of this node or task, such as task[1.2]')
    .option('--unknown <what>', 'repeat or skip a tool call whose effect is unknown', oneOf('repeat', 'skip'))
    .action(
      context.action(async (text: string, options: { budget?: string; node?: string; unknown?: 'repeat' | 'skip' }) =>
        withServer(context, async (session) => {
          const id = await resolveRunId(session, text);
          const { lastSeq } = await session.call('runShow', { params: { id } });
          const run = await withKey(context, session, () =>
            session.call('runResume', { params: { id }, body: given(options) }),
          );
          return followRun(context, session, run, { after: lastSeq, resume: true });
        }),
      ),
    );
  registerDecisions(runs, context);
  registerForks(runs, context);
  runs
    .command('pause')
    .argument(RUN, RUN_HELP)
    .description('let the steps of a workflow that are being done finish, then pause')
    .action(
      context.action(async (text: string) =>
        withServer(context, async (session) => {
          const run = await session.call('runPause', { params: { id: await resolveRunId(session, text) } });
          output.result(run, () => `${run.id} pauses as soon as its steps are done`);
          return 0;
        }),
      ),
    );
  runs
    .command('cancel')
    .argument(RUN, RUN_HELP)
    .description('stop a run for good and settle its money')
    .action(
      context.action(async (text: string) =>
        withServer(context, async (session) => {
          const run = await session.call('runCancel', { params: { id: await resolveRunId(session, text) } });
          output.result(run, () => showEnd(run, output.style));
          return 0;
        }),
      ),
    );
};
