import { CloutError, ElicitationRequest, readForm, type Approval } from '@cloutagent/contract';
import type { Workbench } from '../workbench.ts';
import type { Handlers } from './bind.ts';

/** A server gets nothing that does not fit what it asked for. Throws INVALID_INPUT. */
const requireFit = ({ id, runId, kind, status, request }: Approval, edited: unknown): void => {
  if (kind !== 'elicitation' || status !== 'pending') return;
  const { mode, schema, text } = ElicitationRequest.parse(request);
  if (mode === 'url') {
    if (edited === undefined) return;
    throw new CloutError('INVALID_INPUT', 'A link has nothing to be edited', { hint: `clout runs approve ${id}` });
  }
  const form = readForm(schema, edited ?? text);
  if ('content' in form) return;
  throw new CloutError('INVALID_INPUT', `The answer does not fit what is asked: ${form.problem}`, {
    hint: `clout runs show ${runId} shows what fits; give it with --edit JSON`,
    details: { schema },
  });
};

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
    const id = params['id'] ?? '';
    if (body.decision === 'approve') requireFit(await bench.store.approval(id), body.edited);
    const approval = await bench.store.decide(id, { ...body, by: context.principal.name });
    // A call that waits in this process goes on by itself; a run that was put away is driven again.
    if (bench.people.decided(approval)) bench.owner.changed(approval.runId);
    else bench.owner.signalled(approval.runId);
    return approval;
  },
});
