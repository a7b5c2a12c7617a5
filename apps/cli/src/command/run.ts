import type { Client } from '@cloutagent/client';
import { CloutError, type Run } from '@cloutagent/contract';
import { startOwner } from '../background.ts';
import type { Context, Register } from '../context.ts';
import { followRun } from '../follow.ts';
import { given, usd } from '../option.ts';
import { plain } from '../output.ts';
import { withServer, type Session } from '../with-server.ts';

interface RunOptions {
  readonly budget?: string;
  readonly simulate?: true;
  readonly model?: string;
  readonly detach?: true;
}

export const registerRun: Register = (program, context) => {
  program
    .command('run <slug>')
    .description("work through a change's open tasks; goes on with a run that was paused or interrupted")
    .option('--budget <usd>', "limit of the run; the plan's ceiling by default", usd)
    .option('--simulate', 'on the simulator: no key, no cost')
    .option('--model <id>', 'instead of the configured model')
    .option('--detach', 'leave it to a server in the background and return at once')
    .action(
      context.action(async (slug: string, options: RunOptions) => {
        if (options.detach === true) await startOwner(context);
        return withServer(context, async (session) => {
          const { run, after } = await startOrContinue(session.client, slug, options);
          if (options.detach === true) return detached(context, session, run);
          return followRun(context, session, run, after);
        });
      }),
    );
};

/** One live run per change: the one that stands still goes on, unless the command line asks for another kind of run. */
const startOrContinue = async (
  client: Client,
  slug: string,
  options: RunOptions,
): Promise<{ run: Run; after: number }> => {
  const simulate = options.simulate === true;
  const page = await client.call('runsList', { query: { slug, limit: 1 } });
  const live = page.items.find((run) => ['running', 'paused', 'interrupted'].includes(run.status));
  if (live === undefined) {
    const run = await client.call('runStart', {
      body: { slug, simulate, ...given({ budget: options.budget, model: options.model }) },
    });
    return { run, after: 0 };
  }
  refuseConflict(live, options);
  const { lastSeq } = await client.call('runShow', { params: { id: live.id } });
  const run = await client.call('runResume', { params: { id: live.id }, body: given({ budget: options.budget }) });
  return { run, after: lastSeq };
};

const refuseConflict = (live: Run, options: RunOptions): void => {
  const refuse = (why: string, hint: string): never => {
    throw new CloutError('RUN_EXISTS', `The change ${live.slug} has a run already, ${live.id}, ${why}`, {
      hint,
      details: { runId: live.id, status: live.status },
    });
  };
  if (live.status === 'running') refuse('which is running', `Watch it: clout runs watch ${live.id}`);
  const resume = `Go on with it: clout runs resume ${live.id}; or give it up: clout runs cancel ${live.id}`;
  if (live.simulated !== (options.simulate === true))
    refuse(live.simulated ? 'on the simulator' : 'on the real model', resume);
  if (options.model !== undefined && options.model !== live.model) refuse(`with the model ${live.model}`, resume);
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
