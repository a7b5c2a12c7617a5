import {
  codeOf,
  MAX_WORKFLOW_DEPTH,
  MAX_WORKFLOW_NODES,
  type WorkflowDocument,
  type WorkflowEdge,
  type WorkflowFinding,
  type WorkflowNode,
} from '@cloutagent/contract';
import { expressionNames, findCycle } from '@cloutagent/kit';
import { workflowRef } from './node/sub-workflow.ts';
import { branchOf } from './scope.ts';

type Workflows = Readonly<Record<string, WorkflowDocument>>;
type Body = Pick<WorkflowDocument, 'edges'> & { readonly nodes: readonly WorkflowNode[] };

/**
 * What keeps a workflow from being run at all, each finding at its node: an id twice, an edge to nowhere or of a branch that
 * its source does not have, a circle, an expression that cannot be read, a workflow that is missing or contains itself.
 */
export const inspectWorkflow = (document: Body, workflows: Workflows = {}): readonly WorkflowFinding[] => {
  const findings: WorkflowFinding[] = [];
  let nodes = 0;
  const add = (node: string | null, code: string, message: string, hint: string): void => {
    // A document can be wrong in thousands of places; nobody reads more.
    if (findings.length < MAX_FINDINGS) findings.push({ code, severity: 'error', node, message, hint });
  };

  const visit = (body: Body, prefix: string, depth: number, around: readonly string[]): void => {
    if (depth > MAX_WORKFLOW_DEPTH) {
      add(
        prefix.slice(0, -1) || null,
        'TOO_DEEP',
        'Maps and workflows stand in each other too deep',
        'Take one of them apart',
      );
      return;
    }
    nodes += body.nodes.length;
    const byId = new Map<string, WorkflowNode>();
    for (const node of body.nodes) {
      const place = `${prefix}${node.id}`;
      if (byId.has(node.id)) add(place, 'ID_TWICE', `Two nodes have the id ${node.id}`, 'Rename one of them');
      byId.set(node.id, node);
      inspectNode(node, place, depth, around);
    }
    for (const edge of body.edges) inspectEdge(edge, byId, prefix, add);
    const cycle = findCycle([...byId.keys()], body.edges);
    if (cycle !== undefined) {
      const way = cycle.length > 8 ? [...cycle.slice(0, 7), '…'] : cycle;
      add(
        `${prefix}${cycle[0] ?? ''}`,
        'CYCLE',
        `The edges go in a circle: ${way.join(' → ')}`,
        'Use a map for repeated work',
      );
    }
  };

  const inspectNode = (node: WorkflowNode, place: string, depth: number, around: readonly string[]): void => {
    if (node.type === 'condition') {
      try {
        expressionNames(node.data.expression);
      } catch (error) {
        if (codeOf(error) !== 'EXPRESSION_INVALID' || !(error instanceof Error)) throw error;
        add(place, 'EXPRESSION_INVALID', error.message, 'Such as: length(input) > 10 and kind == "a"');
      }
    } else if (node.type === 'map') {
      if (node.data.nodes.length === 0) add(place, 'EMPTY_MAP', 'The map has no nodes', 'Give it at least one');
      visit({ nodes: node.data.nodes, edges: [...node.data.edges] }, `${place}/`, depth + 1, around);
    } else if (node.type === 'workflow') {
      const ref = workflowRef(node.data);
      const inner = Object.hasOwn(workflows, ref) ? workflows[ref] : undefined;
      if (around.includes(ref))
        add(place, 'RECURSION', `The workflow ${ref} contains itself`, 'Use a map for repeated work');
      else if (inner === undefined)
        add(place, 'NO_SUCH_WORKFLOW', `There is no workflow ${ref}`, 'clout workflow list names those that exist');
      else visit(inner, `${place}/`, depth + 1, [...around, ref]);
    }
  };

  if (document.nodes.length === 0) add(null, 'EMPTY', 'The workflow has no nodes', 'Give it at least one');
  visit(document, '', 0, []);
  if (nodes > MAX_WORKFLOW_NODES) {
    add(
      null,
      'TOO_LARGE',
      `With its maps and workflows it has ${nodes} nodes, and at most ${MAX_WORKFLOW_NODES} are run`,
      'Take it apart',
    );
  }
  return findings;
};

const MAX_FINDINGS = 200;

const inspectEdge = (
  edge: WorkflowEdge,
  byId: ReadonlyMap<string, WorkflowNode>,
  prefix: string,
  add: (node: string | null, code: string, message: string, hint: string) => void,
): void => {
  for (const id of [edge.source, edge.target]) {
    if (!byId.has(id)) {
      const other = id === edge.source ? edge.target : edge.source;
      const node = byId.has(other) ? `${prefix}${other}` : null;
      add(node, 'NO_SUCH_NODE', `An edge names ${id}, which is no node beside it`, 'Mend or remove the edge');
    }
  }
  const source = byId.get(edge.source);
  const branch = branchOf(edge);
  if (source === undefined || branch === undefined) return;
  const place = `${prefix}${edge.source}`;
  if (branch === 'error' && source.onError !== 'branch') {
    add(
      place,
      'NO_SUCH_BRANCH',
      'An edge of the branch error leaves a node that has none',
      'Set onError of the node to branch',
    );
  }
  if (branch !== 'error' && source.type !== 'condition') {
    add(
      place,
      'NO_SUCH_BRANCH',
      `An edge of the branch ${branch} leaves a node that is no condition`,
      'Remove the branch of the edge',
    );
  }
};
