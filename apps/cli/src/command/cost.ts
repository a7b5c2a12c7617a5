import { CloutError } from '@cloutagent/contract';
import type { Context, Register } from '../context.ts';
import { given, oneOf, usd, wholeNumber } from '../option.ts';
import { showAlerts, showBudgets, showCosts, showPrices } from '../show/cost.ts';
import { withServer } from '../with-server.ts';

interface SummaryOptions {
  readonly from?: string;
  readonly to?: string;
  readonly by?: 'model' | 'day' | 'node' | 'user' | 'change';
  readonly simulate?: true;
}

interface LimitOptions {
  readonly daily?: string;
  readonly weekly?: string;
  readonly monthly?: string;
  readonly lifetime?: string;
  readonly alert?: readonly number[];
  readonly global?: true;
  readonly change?: string;
  readonly user?: string;
  readonly run?: string;
  readonly simulate?: true;
}

const LIMITS = ['daily', 'weekly', 'monthly', 'lifetime'] as const;

/** The server of a data folder has one project for now. */
const PARAMS = { projectId: 'default' };

export const registerCost: Register = (program, context) => {
  const cost = program.command('cost').description('what runs cost, limits, estimates and prices');
  cost
    .command('summary')
    .description(
      'what was spent: by model, day, node, user and change; the last thirty days unless --from says otherwise',
    )
    .option('--from <date>', 'from here on, such as 2026-11-01')
    .option('--to <date>', 'up to here, not included')
    .option(
      '--by <what>',
      'show only one of: model, day, node, user, change',
      oneOf('model', 'day', 'node', 'user', 'change'),
    )
    .option('--simulate', 'money of simulated runs')
    .action(
      context.action(async (options: SummaryOptions) =>
        withServer(context, async (session) => {
          const query = { ...given({ start: options.from, end: options.to }), simulated: flag(options.simulate) };
          const summary = await session.call('costsSummary', { params: PARAMS, query });
          context.output.result(summary, () => showCosts(summary, options.by, context.output.style));
          return 0;
        }),
      ),
    );
  cost
    .command('estimate')
    .description('what so many tokens of a model cost')
    .requiredOption('--model <id>', 'model to ask')
    .requiredOption('--input <tokens>', 'tokens of the prompt', wholeNumber(0, 100_000_000))
    .requiredOption('--output <tokens>', 'tokens of the answer', wholeNumber(0, 100_000_000))
    .action(
      context.action(async (options: { model: string; input: number; output: number }) =>
        withServer(context, async (session) => {
          const body = {
            model: options.model,
            estimatedPromptTokens: options.input,
            estimatedCompletionTokens: options.output,
          };
          const estimate = await session.call('costsEstimate', { body });
          context.output.result(
            estimate,
            () => `$${estimate.cost.usd} (${estimate.priceId}, prices of ${estimate.pricesAsOf})`,
          );
          return 0;
        }),
      ),
    );
  registerLimit(cost, context);
  cost
    .command('prices')
    .description('the price table')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const table = await session.call('costsPrices', {});
          context.output.result(table, () => showPrices(table, context.output.style));
          return 0;
        }),
      ),
    );
  cost
    .command('alerts')
    .description('alerts of budgets, oldest first')
    .option('--after <place>', 'only those behind this one', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(
      context.action(async (options: { after?: number }) =>
        withServer(context, async (session) => {
          const answer = await session.call('costsAlerts', { params: PARAMS, query: given({ after: options.after }) });
          context.output.result(answer, () => showAlerts(answer.alerts));
          return 0;
        }),
      ),
    );
};

const flag = (on: true | undefined): 'true' | 'false' => (on === true ? 'true' : 'false');

/** `none` takes a limit away. */
const amount = (text: string): string => (text === 'none' ? text : usd(text));

const percents = (text: string): readonly number[] =>
  text === 'none' ? [] : text.split(',').map((part) => wholeNumber(1, 1000)(part.trim()));

const registerLimit = (cost: Parameters<Register>[0], context: Context): void => {
  cost
    .command('limit')
    .description('show budgets, or set a limit; a raise resumes the runs that waited for it')
    .option('--daily <usd>', 'limit of each day; none takes it away', amount)
    .option('--weekly <usd>', 'limit of each week from Monday', amount)
    .option('--monthly <usd>', 'limit of each month', amount)
    .option('--lifetime <usd>', 'limit over all time', amount)
    .option(
      '--alert <percents>',
      'percents of the limit at which to alert, such as 50,90; none for no alerts',
      percents,
    )
    .option('--global', 'of all projects, instead of this one')
    .option('--change <slug>', 'of one change')
    .option('--user <name>', 'of one user')
    .option('--run <id>', 'of one run; without a limit shows its budgets')
    .option('--simulate', 'of simulated money')
    .action(
      context.action(async (options: LimitOptions) =>
        withServer(context, async (session) => {
          const level = levelOf(options);
          for (const limitType of LIMITS) {
            const text = options[limitType];
            if (text === undefined) continue;
            const limitAmount = text === 'none' ? null : text.replace(/^\$/u, '');
            await session.call('costsLimit', {
              params: PARAMS,
              body: {
                limitType,
                limitAmount,
                ...level,
                simulated: options.simulate === true,
                ...given({ alertThresholds: options.alert === undefined ? undefined : [...options.alert] }),
              },
            });
          }
          if (options.alert !== undefined && LIMITS.every((name) => options[name] === undefined))
            throw new CloutError('INVALID_INPUT', '--alert belongs to a limit', {
              hint: 'Name the limit too: clout cost limit --daily 5 --alert 80,100',
            });
          const budgets = await session.call('costsBudgets', { params: PARAMS, query: given({ run: options.run }) });
          context.output.result(budgets, () => showBudgets(budgets, context.output.style));
          return 0;
        }),
      ),
    );
};

const levelOf = (options: LimitOptions): { scope: 'project' | 'global' | 'change' | 'user' | 'run'; id?: string } => {
  const { change, user, run } = options;
  const named = [options.global, change, user, run].filter((value) => value !== undefined);
  if (named.length > 1)
    throw new CloutError('INVALID_INPUT', 'A limit has one owner', {
      hint: 'Name one of --global, --change, --user and --run, or none for the project',
    });
  if (options.global === true) return { scope: 'global' };
  if (change !== undefined) return { scope: 'change', id: change };
  if (user !== undefined) return { scope: 'user', id: user };
  if (run !== undefined) return { scope: 'run', id: run };
  return { scope: 'project' };
};
