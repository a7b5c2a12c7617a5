import type { Run, RunDetail } from '@cloutagent/contract';
import type { LiveRun } from './live.ts';
import type { StepNode } from './tree.ts';

/**
 * The run as it is now: what the stream told, where it knows more than what was read last.
 * `interrupted` is known by reading only, since nothing is left that could send an event.
 */
export const toCurrentRun = (detail: RunDetail, live: LiveRun): Run => {
  const { run, lastSeq } = detail;
  if (live.status === null || live.lastSeq <= lastSeq) return run;
  return { ...run, status: live.status, reason: live.reason, money: live.money ?? run.money };
};

/** Milliseconds that a run took, or has taken so far. */
export const elapsedOf = (run: Run, now: number): number => {
  const from = Date.parse(run.createdAt);
  if (run.finishedAt !== null) return Date.parse(run.finishedAt) - from;
  return (run.status === 'running' ? now : Date.parse(run.updatedAt)) - from;
};

const walk = (nodes: readonly StepNode[]): readonly StepNode[] =>
  nodes.flatMap((node) => [node, ...walk(node.children)]);

/** The step that a reader who chose none wants to see: what goes on, else what went wrong, else the last that was done. */
export const defaultStep = (
  nodes: readonly StepNode[],
  current: string | null,
  driven: boolean,
): string | undefined => {
  const all = walk(nodes);
  if (driven && current !== null && all.some((node) => node.key === current)) return current;
  const leaves = all.filter((node) => node.children.length === 0);
  const wrong = leaves.find((node) => node.state === 'unknown' || node.state === 'stopped');
  if (wrong !== undefined) return wrong.key;
  const begun = nodes.filter((node) => node.startedAt !== null || node.row !== null);
  return (begun.findLast((node) => node.state === 'failed') ?? begun.at(-1) ?? nodes[0])?.key;
};

/** A path as seen from the project's root. */
export const shortenPath = (path: string, root: string): string =>
  root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;

export const countNodes = (nodes: readonly StepNode[]): number => walk(nodes).length;
