import type { LedgerRow, RunDetail, StepRow } from '@cloutagent/contract';
import type { LiveRun, LiveStep } from './live.ts';
import { toLabel } from './label.ts';
import { keyPrefixes, lastSegment, parentKey, rowKey, taskKey } from './step-key.ts';

export type NodeKind = 'task' | 'node' | 'item' | 'try' | 'turn' | 'tool' | 'check' | 'tick' | 'ask' | 'wait' | 'step';
/** `asking`: waits for a person or a time. `unknown`: money or an effect of it is not known, a person may have to look. */
export type NodeState = 'waiting' | 'asking' | 'skipped' | 'running' | 'ok' | 'failed' | 'unknown' | 'stopped';

/** One row of the step tree. Times in milliseconds since 1970; the cost includes what is below it. */
export interface StepNode {
  readonly key: string;
  readonly kind: NodeKind;
  readonly label: string;
  /** A few words beside the label: the tool's target, the stop reason. */
  readonly detail: string;
  readonly state: NodeState;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly costNanoUsd: number;
  readonly row: StepRow | null;
  readonly live: LiveStep | null;
  readonly attempts: readonly LedgerRow[];
  readonly children: readonly StepNode[];
}

const KINDS: Readonly<Record<string, NodeKind>> = {
  task: 'task',
  try: 'try',
  turn: 'turn',
  tool: 'tool',
  check: 'check',
  tick: 'tick',
  map: 'item',
  ask: 'ask',
  answer: 'wait',
  delay: 'wait',
  wait: 'wait',
  due: 'wait',
};

const earliest = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
};

const latest = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
};

interface Sources {
  readonly rows: ReadonlyMap<string, StepRow>;
  readonly live: ReadonlyMap<string, LiveStep>;
  readonly ledger: ReadonlyMap<string, readonly LedgerRow[]>;
  readonly childKeys: ReadonlyMap<string, readonly string[]>;
  readonly tasks: ReadonlyMap<string, RunDetail['run']['tasks'][number]>;
  /** Places of nodes of a workflow, whatever they are called. */
  readonly nodes: ReadonlySet<string>;
  /** Places at which the run waits, and all that is around them. */
  readonly waiting: ReadonlySet<string>;
  /** Does a process drive the run at this moment? */
  readonly driven: boolean;
}

/** A row's own money: what the ledger booked, else what the step says. Reservations still held are not spent. */
const ownCost = (row: StepRow | undefined, live: LiveStep | undefined, attempts: readonly LedgerRow[]): number => {
  const booked = attempts.filter((attempt) => attempt.outcome === 'known' || attempt.outcome === 'unknown');
  if (booked.length > 0) return booked.reduce((sum, attempt) => sum + attempt.amount.nanoUsd, 0);
  return row?.costNanoUsd ?? live?.costNanoUsd ?? 0;
};

const taskState = (
  status: RunDetail['run']['tasks'][number]['status'],
  live: LiveStep | undefined,
  driven: boolean,
): NodeState => {
  if (live?.outcome != null) return live.outcome.ticked ? 'ok' : 'failed';
  if (status === 'done') return 'ok';
  if (status === 'failed') return 'failed';
  if (status === 'running' || live?.startedAt != null) return driven ? 'running' : 'stopped';
  return 'waiting';
};

const nodeState = (
  row: StepRow | undefined,
  live: LiveStep | undefined,
  waits: boolean,
  driven: boolean,
): NodeState => {
  // The output of a node's row is a NodeOutcome; a skipped one had no input.
  if (row !== undefined) return row.isError ? 'failed' : row.input === null ? 'skipped' : 'ok';
  if (live?.endedAt != null) return live.isError ? 'failed' : live.stopReason === 'skipped' ? 'skipped' : 'ok';
  if (waits) return 'asking';
  if (live?.startedAt != null) return driven ? 'running' : 'stopped';
  return 'waiting';
};

const leafState = (
  row: StepRow | undefined,
  live: LiveStep | undefined,
  attempts: readonly LedgerRow[],
  driven: boolean,
): NodeState => {
  if (row !== undefined) return row.isError ? 'failed' : 'ok';
  if (live?.endedAt != null) return live.isError ? 'failed' : 'ok';
  if (driven && (live?.startedAt != null || attempts.some((attempt) => attempt.outcome === 'held'))) return 'running';
  if (attempts.some((attempt) => attempt.outcome === 'unknown')) return 'unknown';
  return 'stopped';
};

const groupState = (children: readonly StepNode[], driven: boolean): NodeState => {
  if (children.some((child) => child.state === 'running')) return 'running';
  if (children.some((child) => child.kind === 'check' && child.state === 'failed')) return 'failed';
  const last = children.at(-1);
  if (last === undefined) return driven ? 'running' : 'stopped';
  return last.state;
};

const toNode = (key: string, sources: Sources): StepNode => {
  const segment = lastSegment(key);
  const kind = sources.nodes.has(key) ? 'node' : (KINDS[segment.name] ?? 'step');
  const row = sources.rows.get(key);
  const live = sources.live.get(key);
  const attempts = sources.ledger.get(key) ?? [];
  const children = (sources.childKeys.get(key) ?? []).map((child) => toNode(child, sources));
  const task = kind === 'task' ? sources.tasks.get(segment.index) : sources.tasks.get(key);
  const state =
    kind === 'task'
      ? taskState(task?.status ?? 'open', live, sources.driven)
      : kind === 'node'
        ? nodeState(row, live, sources.waiting.has(key), sources.driven)
        : kind === 'ask' && sources.waiting.has(key)
          ? 'asking'
          : row === undefined && live === undefined && attempts.length === 0
            ? groupState(children, sources.driven)
            : leafState(row, live, attempts, sources.driven);
  // Rows of tasks and nodes are written when they end, with the time at which this process began them.
  const isTask = kind === 'task' || kind === 'node';
  const startedAt = earliest([
    isTask ? null : (row?.startedAt ?? null),
    live?.startedAt ?? null,
    ...children.map((child) => child.startedAt),
  ]);
  const ended = latest([row?.endedAt ?? null, live?.endedAt ?? null, ...children.map((child) => child.endedAt)]);
  const { label, detail } = toLabel({ kind, segment, row, live, task });
  return {
    key,
    kind,
    label,
    detail,
    state,
    startedAt: startedAt ?? (live?.endedAt != null ? live.endedAt : null),
    endedAt: state === 'running' ? null : ended,
    costNanoUsd: ownCost(row, live, attempts) + children.reduce((sum, child) => sum + child.costNanoUsd, 0),
    row: row ?? null,
    live: live ?? null,
    attempts,
    children,
  };
};

/** `try[2]` before `try[10]`, checks after turns, the tick last: the order in which things happen. */
const RANK: Readonly<Record<string, number>> = {
  try: 0,
  due: 0,
  ask: 0,
  turn: 1,
  answer: 1,
  wait: 1,
  tool: 2,
  check: 3,
  tick: 4,
};

const compareKeys = (a: string, b: string): number => {
  const [left, right] = [lastSegment(a), lastSegment(b)];
  const byName = (RANK[left.name] ?? 9) - (RANK[right.name] ?? 9);
  return byName === 0 ? left.index.localeCompare(right.index, 'en', { numeric: true }) : byName;
};

const toChildKeys = (keys: Iterable<string>): ReadonlyMap<string, readonly string[]> => {
  const children = new Map<string, Set<string>>();
  for (const key of keys) {
    for (const prefix of keyPrefixes(key)) {
      const parent = parentKey(prefix);
      if (parent === undefined) continue;
      children.set(parent, (children.get(parent) ?? new Set()).add(prefix));
    }
  }
  return new Map(Array.from(children, ([key, set]) => [key, [...set].sort(compareKeys)]));
};

/** Rows of the database and what the stream told since, as one tree: task → try → turn → tool, check, tick. */
export const toTree = (detail: RunDetail, live: LiveRun, driven: boolean): readonly StepNode[] => {
  const rows = new Map(detail.steps.map((row) => [rowKey(row.key), row]));
  const ledger = new Map<string, LedgerRow[]>();
  for (const entry of detail.ledger) {
    const key = rowKey(entry.stepKey);
    ledger.set(key, [...(ledger.get(key) ?? []), entry]);
  }
  const childKeys = toChildKeys([...rows.keys(), ...live.steps.keys(), ...ledger.keys()]);
  const tasks = new Map(detail.run.tasks.map((task) => [task.id, task]));
  const isWorkflow = detail.run.kind === 'workflow';
  const nodes = new Set([
    ...(isWorkflow ? tasks.keys() : []),
    ...detail.steps.filter(({ kind }) => kind === 'node').map(({ key }) => key),
    ...Array.from(live.steps).flatMap(([key, step]) => (step.kind === 'node' ? [key] : [])),
  ]);
  const waiting = new Set(detail.waits.flatMap(({ key }) => [...keyPrefixes(key), key.replace(/\/answer$/u, '/ask')]));
  const sources: Sources = { rows, live: live.steps, ledger, childKeys, tasks, nodes, waiting, driven };
  return detail.run.tasks.map((task) => toNode(isWorkflow ? task.id : taskKey(task.id), sources));
};

/** When a step ended, or how far it has come; where it broke off, nobody knows more than its start. */
export const endOf = (node: StepNode, now: number): number | null =>
  node.endedAt ?? (node.state === 'running' ? now : node.startedAt);

/** Milliseconds that a step took or has taken so far; null where that is not known. */
export const durationOf = (node: StepNode, now: number): number | null =>
  node.startedAt === null || (node.endedAt === null && node.state !== 'running')
    ? null
    : (endOf(node, now) ?? now) - node.startedAt;

/** Finds a row by its key. */
export const findNode = (nodes: readonly StepNode[], key: string): StepNode | undefined => {
  for (const node of nodes) {
    if (node.key === key) return node;
    const found = findNode(node.children, key);
    if (found !== undefined) return found;
  }
  return undefined;
};
