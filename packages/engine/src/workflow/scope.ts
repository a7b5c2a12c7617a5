import { CloutError, type WorkflowEdge, type WorkflowNode } from '@cloutagent/contract';
import { leadingTo, topologicalOrder } from '@cloutagent/kit';

export type EdgeBranch = 'then' | 'else' | 'error';

/** An edge as a run reads it. */
export interface ScopeEdge {
  readonly source: string;
  readonly target: string;
  /** Where absent, it is taken whenever its source is done. */
  readonly branch: EdgeBranch | undefined;
}

/** The nodes that stand beside each other: of a workflow, or of the body of a map. */
export interface Scope {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  /** In the order of the document, which is the order of a node's inputs. */
  readonly edges: readonly ScopeEdge[];
  readonly incoming: ReadonlyMap<string, readonly ScopeEdge[]>;
  readonly outgoing: ReadonlyMap<string, readonly ScopeEdge[]>;
  /** Nodes whose outputs are what the scope gives: its outputs, or where it has none, what leads nowhere. */
  readonly results: readonly string[];
  /** Everything before a node: the only nodes whose outputs are certain when it starts. */
  before(id: string): ReadonlySet<string>;
}

const BRANCHES: ReadonlySet<string> = new Set<EdgeBranch>(['then', 'else', 'error']);

/** The canvas names the handle that an edge leaves by; another name than a branch's means nothing. */
export const branchOf = ({ branch, sourceHandle }: WorkflowEdge): EdgeBranch | undefined =>
  branch ?? (sourceHandle != null && BRANCHES.has(sourceHandle) ? (sourceHandle as EdgeBranch) : undefined);

const group = (edges: readonly ScopeEdge[], end: 'source' | 'target'): ReadonlyMap<string, readonly ScopeEdge[]> => {
  const groups = new Map<string, ScopeEdge[]>();
  for (const edge of edges) {
    const known = groups.get(edge[end]);
    if (known === undefined) groups.set(edge[end], [edge]);
    else known.push(edge);
  }
  return groups;
};

/** Throws WORKFLOW_INVALID for what cannot be walked: an id twice, an edge to nowhere, a circle. */
export const toScope = (nodes: readonly WorkflowNode[], edges: readonly WorkflowEdge[]): Scope => {
  const invalid = (message: string): never => {
    throw new CloutError('WORKFLOW_INVALID', message);
  };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size !== nodes.length) invalid('Two nodes have the same id');
  const own = edges.map((edge): ScopeEdge => {
    const { source, target } = edge;
    for (const id of [source, target]) if (!byId.has(id)) invalid(`An edge names ${id}, which is no node beside it`);
    return { source, target, branch: branchOf(edge) };
  });
  const ids = [...byId.keys()];
  if (topologicalOrder(ids, own) === undefined) invalid('The edges go in a circle');
  const outgoing = group(own, 'source');
  const outputs = nodes.filter(({ type }) => type === 'output').map(({ id }) => id);
  const memo = new Map<string, ReadonlySet<string>>();
  return {
    nodes: byId,
    edges: own,
    incoming: group(own, 'target'),
    outgoing,
    results: outputs.length > 0 ? outputs : ids.filter((id) => !outgoing.has(id)),
    before: (id) => {
      const known = memo.get(id) ?? leadingTo(id, own);
      memo.set(id, known);
      return known;
    },
  };
};
