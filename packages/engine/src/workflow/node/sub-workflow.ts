import { CloutError, MAX_WORKFLOW_DEPTH, type SubWorkflowNode } from '@cloutagent/contract';
import { fillTemplate } from '@cloutagent/kit';
import type * as z from 'zod';
import type { NodeResult, NodeWork, RunScope } from '../context.ts';
import { toScope } from '../scope.ts';

type SubWorkflow = z.infer<typeof SubWorkflowNode>;

/** Name under which a run carries the workflow that a node names. */
export const workflowRef = ({ workflow, version }: SubWorkflow['data']): string =>
  version === undefined ? workflow : `${workflow}@${version}`;

export const runSubWorkflowNode = async (work: NodeWork<SubWorkflow>, runScope: RunScope): Promise<NodeResult> => {
  const { node, place, input, context, drive, valueOf } = work;
  const ref = workflowRef(node.data);
  const { workflows } = context.run.document;
  const workflow = Object.hasOwn(workflows, ref) ? workflows[ref] : undefined;
  if (workflow === undefined) throw new CloutError('NODE_FAILED', `The run does not carry the workflow ${ref}`);
  if (context.depth >= MAX_WORKFLOW_DEPTH) {
    throw new CloutError('NODE_FAILED', `Maps and workflows stand in each other more than ${MAX_WORKFLOW_DEPTH} times`);
  }
  const given = Object.entries(node.data.variables).map(([name, text]) => [name, fillTemplate(text, valueOf)] as const);
  const output = await context.run.activity.outside(() =>
    runScope(
      {
        ...context,
        scope: toScope(workflow.nodes, workflow.edges),
        prefix: `${place}/`,
        input,
        // Nothing of the outer workflow reaches in but what is handed over.
        variables: { ...workflow.variables, ...Object.fromEntries(given) },
        depth: context.depth + 1,
        workflow,
      },
      drive,
    ),
  );
  return { output };
};
