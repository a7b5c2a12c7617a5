import { CloutError } from '@cloutagent/contract';
import type { Workbench } from '../workbench.ts';
import type { Handlers } from './bind.ts';

export const approvalHandlers = (bench: Workbench): Pick<Handlers, 'approvalsList' | 'approvalDecide'> => ({
  approvalsList: ({ query }) =>
    bench.store.approvals({
      projectId: bench.projectId,
      pending: query.status === 'pending',
      limit: query.limit,
      offset: query.offset,
      ...(query.run === undefined ? {} : { runId: query.run }),
    }),
  approvalDecide: async ({ params, body, context }) => {
    if (body.decision === 'deny' && body.edited !== undefined) {
      throw new CloutError('INVALID_INPUT', 'What is denied cannot be edited', {
        hint: 'Approve it with the edited text, or deny it with a reason',
      });
    }
    const approval = await bench.store.decide(params['id'] ?? '', { ...body, by: context.principal.name });
    bench.owner.signalled(approval.runId);
    return approval;
  },
});
