import type { Register } from '../context.ts';
import { showPlan } from '../show/plan.ts';
import { withServer } from '../with-server.ts';

export const registerPlan: Register = (program, context) => {
  program
    .command('plan <slug>')
    .description('price tag of a change: expected cost and ceiling, per task and in all')
    .option('--model <id>', 'instead of the configured model')
    .option('--simulate', 'for a run on the simulator, which has a budget of its own')
    .action(
      context.action(async (slug: string, options: { model?: string; simulate?: true }) =>
        withServer(context, async (session) => {
          const plan = await session.call('changePlan', {
            params: { slug },
            query: { model: options.model, simulate: options.simulate === true ? 'true' : 'false' },
          });
          context.output.result(plan, () => showPlan(plan, context.output.style));
          return 0;
        }),
      ),
    );
};
