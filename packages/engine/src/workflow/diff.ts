import type { WorkflowChange, WorkflowDocument } from '@cloutagent/contract';
import { canonicalJson } from '@cloutagent/kit';

/** What differs between two documents: nodes by id, edges by their ends and branch, then the other fields by name. */
export const diffWorkflows = (before: WorkflowDocument, after: WorkflowDocument): readonly WorkflowChange[] => [
  ...compare('node', nodesOf(before), nodesOf(after)),
  ...compare('edge', edgesOf(before), edgesOf(after)),
  ...compare('field', fieldsOf(before), fieldsOf(after)),
];

type Parts = ReadonlyMap<string, string>;

const nodesOf = ({ nodes }: WorkflowDocument): Parts =>
  new Map(nodes.map((node) => [node.id, canonicalJson(node)] as const));

const edgesOf = ({ edges }: WorkflowDocument): Parts =>
  new Map(
    edges.map((edge) => {
      const branch = edge.branch ?? edge.sourceHandle;
      const id = `${edge.source} -> ${edge.target}`;
      return [branch == null ? id : `${id} (${branch})`, canonicalJson(edge)] as const;
    }),
  );

const fieldsOf = ({ nodes: _nodes, edges: _edges, ...fields }: WorkflowDocument): Parts =>
  new Map(Object.entries(fields).map(([name, value]) => [name, canonicalJson(value)] as const));

const compare = (what: WorkflowChange['what'], before: Parts, after: Parts): readonly WorkflowChange[] =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((id): WorkflowChange[] => {
    const was = before.get(id) ?? null;
    const is = after.get(id) ?? null;
    if (was === is) return [];
    const kind = was === null ? 'added' : is === null ? 'removed' : 'changed';
    return [{ what, id, kind, before: was, after: is }];
  });
