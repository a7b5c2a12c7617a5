import { CloutError, type Approval } from '@cloutagent/contract';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { given } from '../option.ts';
import { oneLine, plain } from '../output.ts';
import { resolveRunId } from '../run-id.ts';
import type { Session } from '../session.ts';
import { withServer } from '../with-server.ts';

const HELP = 'id of the approval, or of a run that asks one thing only, or "last"';

/** What is asked, by the id of the approval or that of its run. */
const find = async (session: Session, text: string): Promise<Approval> => {
  if (text.startsWith('apr_')) {
    const page = await session.call('approvalsList', { query: { status: 'all', limit: 200 } });
    const found = page.items.find(({ id }) => id === text);
    if (found !== undefined) return found;
    throw new CloutError('APPROVAL_NOT_FOUND', `There is no approval ${text}`);
  }
  const run = await resolveRunId(session, text);
  const { items } = await session.call('approvalsList', { query: { run, limit: 200 } });
  const [first] = items;
  if (first === undefined) throw new CloutError('APPROVAL_NOT_FOUND', `Run ${run} asks nothing`);
  if (items.length === 1) return first;
  throw new CloutError('INVALID_INPUT', `Run ${run} asks ${items.length} things`, {
    hint: `Name one: ${items
      .slice(0, 10)
      .map(({ id }) => id)
      .join(', ')}`,
    details: { approvals: items.map(({ id, title, step }) => ({ id, title, step })) },
  });
};

const show = (approval: Approval): string =>
  `${approval.status} ${plain(approval.id)}: ${oneLine(approval.title)}${approval.reason === null ? '' : ` (${oneLine(approval.reason)})`}`;

export const registerDecisions = (runs: Command, context: Context): void => {
  const decide = (decision: 'approve' | 'deny') =>
    context.action(async (text: string, options: { reason?: string; edit?: string }) =>
      withServer(context, async (session) => {
        const { id, digest } = await find(session, text);
        const approval = await session.call('approvalDecide', {
          params: { id },
          body: { decision, digest, ...given({ reason: options.reason, edited: options.edit }) },
        });
        context.output.result(approval, () => show(approval));
        return 0;
      }),
    );
  runs
    .command('approve')
    .argument('<approval>', HELP)
    .description('approve what a run asks; it goes on at once')
    .option('--reason <text>', 'kept with the decision')
    .option('--edit <text>', 'goes on instead of what was asked')
    .action(decide('approve'));
  runs
    .command('deny')
    .argument('<approval>', HELP)
    .description('deny what a run asks')
    .option('--reason <text>', 'kept with the decision')
    .action(decide('deny'));
};
