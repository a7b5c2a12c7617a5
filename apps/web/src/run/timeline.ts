import { endOf, type NodeKind, type StepNode } from './tree.ts';

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Idle time longer than this is cut down to it: a run may wait hours for a decision and work for seconds. */
const MAX_IDLE_MS = 1_000;
/** Kinds that are work: tasks and tries also last while a run waits. */
const WORK: ReadonlySet<NodeKind> = new Set(['turn', 'tool', 'check', 'step']);
/** A bar is at least this wide (share of the whole), so that it can be seen. */
const MIN_SHARE = 0.006;

export interface Bar {
  /** Shares of the whole, 0 to 1. */
  readonly left: number;
  readonly width: number;
}

const collect = (nodes: readonly StepNode[], now: number, spans: Span[]): Span[] => {
  for (const node of nodes) {
    if (WORK.has(node.kind)) {
      if (node.startedAt !== null)
        spans.push({ from: node.startedAt, to: Math.max(node.startedAt, endOf(node, now) ?? 0) });
    }
    collect(node.children, now, spans);
  }
  return spans;
};

const mergeSpans = (spans: readonly Span[]): readonly Span[] => {
  const merged: { from: number; to: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ ...span });
  }
  return merged;
};

/** Places steps on one line of time that leaves waiting out. Returns undefined for steps that have not begun. */
export const toTimeline = (nodes: readonly StepNode[], now: number): ((node: StepNode) => Bar | undefined) => {
  const busy = mergeSpans(collect(nodes, now, []));
  let length = 0;
  const starts = busy.map((span, index) => {
    const before = busy[index - 1];
    if (before !== undefined) length += Math.min(span.from - before.to, MAX_IDLE_MS);
    const start = length;
    length += span.to - span.from;
    return start;
  });
  const whole = Math.max(length, 1);
  const place = (time: number): number => {
    for (const [index, span] of busy.entries()) {
      const start = starts[index] ?? 0;
      if (time < span.from) return Math.max(0, start - Math.min(span.from - time, MAX_IDLE_MS));
      if (time <= span.to) return start + (time - span.from);
    }
    return length;
  };
  return (node) => {
    if (node.startedAt === null) return undefined;
    const left = Math.min(place(node.startedAt) / whole, 1 - MIN_SHARE);
    const right = place(Math.max(node.startedAt, endOf(node, now) ?? 0)) / whole;
    return { left, width: Math.min(Math.max(right - left, MIN_SHARE), 1 - left) };
  };
};
