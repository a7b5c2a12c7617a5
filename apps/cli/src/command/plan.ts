import type { Register } from '../context.ts';
import { given } from '../option.ts';
import { showPlan } from '../show/plan.ts';
import { withServer } from '../with-server.ts';
import { isWorkflowFile, readWorkflow } from '../workflow-file.ts';

export const registerPlan: Register = (program, context) => {
  program
    .command('plan <change|workflow>')
    .description('price tag of a change or of a workflow (a .yaml or .json file): expected cost and ceiling')
    .option('--model <id>', 'instead of the configured model')
    .option('--simulate', 'for a run on the simulator, which has a budget of its own')
    .action(
      context.action(async (slug: string, options: { model?: string; simulate?: true }) =>
        withServer(context, async (session) => {
          const simulate = options.simulate === true;
          const plan = isWorkflowFile(slug)
            ? await session.call('workflowPlan', {
                body: {
                  workflow: await readWorkflow(context.cwd() ?? context.io.cwd, slug),
                  simulate,
                  ...given({ model: options.model }),
                },
              })
            : await session.call('changePlan', {
                params: { slug },
                query: { model: options.model, simulate: simulate ? 'true' : 'false' },
              });
          context.output.result(plan, () => showPlan(plan, slug, context.output.style));
          return 0;
        }),
      ),
    );
};
