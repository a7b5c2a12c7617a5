import type { StepNode } from './tree.ts';

/** A visible row of the tree, with what the ARIA tree pattern asks for. */
export interface FlatRow {
  readonly node: StepNode;
  readonly level: number;
  readonly position: number;
  readonly setSize: number;
  readonly expanded: boolean | undefined;
  readonly parent: string | undefined;
}

/** The tree as the list of its visible rows. */
export const flatten = (
  nodes: readonly StepNode[],
  isExpanded: (node: StepNode) => boolean,
  level = 1,
  parent?: string,
): readonly FlatRow[] =>
  nodes.flatMap((node, index) => {
    const expanded = node.children.length === 0 ? undefined : isExpanded(node);
    const row: FlatRow = { node, level, position: index + 1, setSize: nodes.length, expanded, parent };
    return expanded === true ? [row, ...flatten(node.children, isExpanded, level + 1, node.key)] : [row];
  });

export type TreeMove =
  | { readonly select: string }
  | { readonly expand: string }
  | { readonly collapse: string }
  | undefined;

/** What a key does in a tree (ARIA pattern "tree view"). */
export const moveInTree = (rows: readonly FlatRow[], current: string | undefined, key: string): TreeMove => {
  const index = rows.findIndex((row) => row.node.key === current);
  const row = rows[index];
  const at = (position: number): TreeMove => {
    const target = rows[Math.min(Math.max(position, 0), rows.length - 1)];
    return target === undefined ? undefined : { select: target.node.key };
  };
  if (key === 'ArrowDown' || key === 'j') return at(index + 1);
  if (key === 'ArrowUp' || key === 'k') return at(index < 0 ? 0 : index - 1);
  if (key === 'Home') return at(0);
  if (key === 'End') return at(rows.length - 1);
  if (row === undefined) return undefined;
  if (key === 'ArrowRight')
    return row.expanded === false ? { expand: row.node.key } : row.expanded === true ? at(index + 1) : undefined;
  if (key === 'ArrowLeft') {
    if (row.expanded === true) return { collapse: row.node.key };
    return row.parent === undefined ? undefined : { select: row.parent };
  }
  return undefined;
};
