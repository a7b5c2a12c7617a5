import type { ReplayReport } from '@cloutagent/contract';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { followRun } from '../follow.ts';
import { given, usd } from '../option.ts';
import { oneLine, plain, type Style } from '../output.ts';
import { resolveRunId } from '../run-id.ts';
import { withKey } from '../with-key.ts';
import { withServer } from '../with-server.ts';
import { readWorkflow } from '../workflow-file.ts';

const RUN = '<run>';
const RUN_HELP = 'id of the run, a unique beginning of it, or "last"';

interface ForkOptions {
  readonly from: string;
  readonly workflow?: string;
  readonly budget?: string;
}

const KINDS: Readonly<Record<ReplayReport['divergences'][number]['kind'], string>> = {
  input: 'would be asked something else',
  output: 'gives something else',
  missing: 'was not done',
};

const showReplay = (report: ReplayReport, style: Style): string =>
  [
    `${report.equal} node(s) give what they gave, ${report.divergences.length} differ; no model was asked`,
    ...report.divergences.map(
      ({ node, step, kind }) => `${style.yellow(oneLine(node))} ${KINDS[kind]} ${style.dim(plain(step))}`,
    ),
  ].join('\n');

export const registerForks = (runs: Command, context: Context): void => {
  const workflowIn = (file: string | undefined) =>
    file === undefined ? undefined : readWorkflow(context.cwd() ?? context.io.cwd, file);
  runs
    .command('fork')
    .argument(RUN, RUN_HELP)
    .description('a new run that takes over what a workflow has done before a step, and pays for the rest only')
    .requiredOption('--from <step>', 'node, or key of a step, from which everything is done again')
    .option('--workflow <file>', 'goes on with this workflow; what comes before the step must be the same')
    .option('--budget <usd>', 'limit of the new run', usd)
    .action(
      context.action(async (text: string, options: ForkOptions) =>
        withServer(context, async (session) => {
          const id = await resolveRunId(session, text);
          const workflow = await workflowIn(options.workflow);
          const { from, budget } = options;
          const run = await withKey(context, session, () =>
            session.call('runFork', { params: { id }, body: { from, ...given({ workflow, budget }) } }),
          );
          return followRun(context, session, run, { after: 0, resume: true });
        }),
      ),
    );
  runs
    .command('replay')
    .argument(RUN, RUN_HELP)
    .description('execute a workflow against the journal of a run: no call, no cost; exit code 1 where it differs')
    .option('--workflow <file>', 'this workflow instead of the one of the run')
    .action(
      context.action(async (text: string, options: { workflow?: string }) =>
        withServer(context, async (session) => {
          const id = await resolveRunId(session, text);
          const workflow = await workflowIn(options.workflow);
          const report = await session.call('runReplay', { params: { id }, body: given({ workflow }) });
          context.output.result(report, () => showReplay(report, context.output.style));
          return report.divergences.length === 0 ? 0 : 1;
        }),
      ),
    );
};
