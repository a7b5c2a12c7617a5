import { CloutError, type WorkflowNode } from '@cloutagent/contract';
import { evaluateExpression, fillTemplate, holds } from '@cloutagent/kit';
import type { NodeResult, NodeWork, RunScope } from '../context.ts';
import { runAgentNode } from './agent.ts';
import { runApprovalNode } from './approval.ts';
import { runDelayNode } from './delay.ts';
import { runMapNode } from './map.ts';
import { runSubWorkflowNode } from './sub-workflow.ts';
import { runToolNode } from './tool.ts';

/** One attempt at a node of any kind. Throws what the attempt failed with; Halt where the run stops. */
export const runNode = async (work: NodeWork<WorkflowNode>, runScope: RunScope): Promise<NodeResult> => {
  const { node, input, valueOf, context } = work;
  switch (node.type) {
    case 'input':
    case 'output':
      return { output: input };
    case 'template':
      return { output: fillTemplate(node.data.template, valueOf) };
    case 'condition': {
      const value = evaluateExpression(node.data.expression, valueOf);
      return { output: input, branch: holds(value) ? 'then' : 'else' };
    }
    case 'agent':
      return runAgentNode({ ...work, node });
    case 'tool':
      return runToolNode({ ...work, node });
    case 'approval':
      return runApprovalNode({ ...work, node });
    case 'delay':
      return runDelayNode({ ...work, node });
    case 'map':
      return runMapNode({ ...work, node }, runScope);
    case 'workflow':
      return runSubWorkflowNode({ ...work, node }, runScope);
    case 'task-graph': {
      const { taskGraph } = context.run.ports;
      if (taskGraph === undefined) throw new CloutError('NODE_FAILED', 'Changes cannot be worked on from here');
      const change = fillTemplate(node.data.change, valueOf);
      return { output: await taskGraph({ drive: work.drive, place: work.key, change }) };
    }
  }
};
