import { CloutError, codeOf, parseUsd, showUsd, type Run } from '@cloutagent/contract';
import { startOwner } from '../background.ts';
import type { Context, Register } from '../context.ts';
import { followRun } from '../follow.ts';
import { given, usd } from '../option.ts';
import { plain } from '../output.ts';
import type { Session } from '../session.ts';
import { withKey } from '../with-key.ts';
import { withServer } from '../with-server.ts';
import { collectVariable, isWorkflowFile, readWorkflow, variablesOf, type WorkflowOptions } from '../workflow-file.ts';

interface RunOptions extends WorkflowOptions {
  readonly budget?: string;
  readonly simulate?: true;
  readonly model?: string;
  readonly detach?: true;
}

export const registerRun: Register = (program, context) => {
  program
    .command('run <change|workflow>')
    .description(
      "work through a change's open tasks, going on with a run that was paused or interrupted; or run a workflow (a .yaml or .json file)",
    )
    .option('--budget <usd>', "limit of the run; the plan's ceiling by default", usd)
    .option('--simulate', 'on the simulator: no key, no cost')
    .option('--model <id>', 'instead of the configured model')
    .option('--input <text>', 'input of a workflow')
    .option('--var <name=value>', 'variable of a workflow; as often as needed', collectVariable)
    .option('--detach', 'leave it to a server in the background and return at once')
    .action(
      context.action(async (slug: string, options: RunOptions) => {
        if (options.detach === true) await startOwner(context);
        return withServer(context, async (session) => {
          const { run, after } = await withKey(context, session, () =>
            isWorkflowFile(slug)
              ? startWorkflow(context, session, slug, options)
              : startOrContinue(session, slug, options),
          );
          if (options.detach === true) return detached(context, session, run);
          return followRun(context, session, run, { after, resume: true });
        });
      }),
    );
};

const startWorkflow = async (
  context: Context,
  session: Session,
  file: string,
  options: RunOptions,
): Promise<Started> => {
  const workflow = await readWorkflow(context.cwd() ?? context.io.cwd, file);
  const { input, budget, model } = options;
  const run = await session.call('workflowRun', {
    body: {
      workflow,
      variables: variablesOf(options),
      simulate: options.simulate === true,
      ...given({ input, budget, model }),
    },
  });
  return { run, after: 0 };
};

interface Started {
  readonly run: Run;
  readonly after: number;
}

/** One live run per change: the command goes on with it, unless the command line asks for another kind of run. */
const startOrContinue = async (session: Session, slug: string, options: RunOptions): Promise<Started> => {
  const continued = await continueLive(session, slug, options);
  if (continued !== undefined) return continued;
  try {
    const run = await session.call('runStart', {
      body: { slug, simulate: options.simulate === true, ...given({ budget: options.budget, model: options.model }) },
    });
    return { run, after: 0 };
  } catch (error) {
    // Somebody was faster, or the answer to our own request was lost with its server.
    if (codeOf(error) !== 'RUN_EXISTS') throw error;
    const other = await continueLive(session, slug, options);
    if (other === undefined) throw error;
    return other;
  }
};

const continueLive = async (session: Session, slug: string, options: RunOptions): Promise<Started | undefined> => {
  const page = await session.call('runsList', { query: { slug, limit: 1 } });
  const live = page.items.find((run) => ['running', 'paused', 'interrupted'].includes(run.status));
  if (live === undefined) return undefined;
  refuseConflict(live, options);
  const { run: before, lastSeq } = await session.call('runShow', { params: { id: live.id } });
  if (before.status === 'running') return { run: before, after: lastSeq };
  const run = await session.call('runResume', { params: { id: live.id }, body: given({ budget: options.budget }) });
  return { run, after: lastSeq };
};

const refuseConflict = (live: Run, options: RunOptions): void => {
  const running = live.status === 'running';
  const go = running ? `Watch it: clout runs watch ${live.id}` : `Go on with it: clout runs resume ${live.id}`;
  const refuse = (why: string): never => {
    throw new CloutError('RUN_EXISTS', `The change ${live.slug} has a run already, ${live.id}, ${why}`, {
      hint: `${go}; or give it up: clout runs cancel ${live.id}`,
      details: { runId: live.id, status: live.status },
    });
  };
  if (live.simulated !== (options.simulate === true)) refuse(live.simulated ? 'on the simulator' : 'on the real model');
  if (options.model !== undefined && options.model !== live.model) refuse(`with the model ${live.model}`);
  // What stands still takes a new limit when it goes on; what is running has been promised its own.
  const { limit } = live.money;
  if (running && options.budget !== undefined && parseUsd(options.budget) !== limit?.nanoUsd)
    refuse(
      limit === null
        ? 'which is running without a limit'
        : `which is running with a limit of ${showUsd(limit.nanoUsd)}`,
    );
};

const detached = (context: Context, session: Session, run: Run): number => {
  context.output.result({ run, url: session.url }, () =>
    [
      `${run.id} works on ${plain(run.slug)}${run.simulated ? ' (simulated)' : ''}, in the server at ${session.url}.`,
      `Watch it: clout runs watch ${run.id}`,
      `Cancel it: clout runs cancel ${run.id}`,
    ].join('\n'),
  );
  return 0;
};
