import type { NodeOutcome, NewRun, StepRow, WorkflowRunDocument } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { Replay, WorkflowPorts } from './context.ts';
import type { Drive } from './drive.ts';
import { openRun, topScope } from './execute.ts';
import { Halt, isHalt } from './halt.ts';

/** Where the code and the journal no longer agree. */
export interface Divergence {
  /** Place of the node. */
  readonly node: string;
  /** Key of the first step that differs; that of the node where its output does. */
  readonly step: string;
  /** `input`: a call would be another. `output`: something else comes out. `missing`: the run has not done this. */
  readonly kind: 'input' | 'output' | 'missing';
  readonly recorded: string | null;
  readonly now: string | null;
}

export interface ReplayReport {
  /** Nodes that gave again what they had given. */
  readonly equal: number;
  readonly divergences: readonly Divergence[];
  readonly output: string | null;
}

/** An attempt that failed has a row, one that succeeded has none: its absence says nothing. */
const MAY_BE_ABSENT = /\/try\[\d+\]$/u;

const same = (a: NodeOutcome, b: NodeOutcome): boolean =>
  a.status === b.status && a.output === b.output && a.branch === b.branch;

/**
 * Executes a workflow's code against the journal of a run. Nothing is called, nothing is written and nothing costs: a step
 * that the journal does not have ends its node. A node that differs is reported, and what follows it goes on with what it
 * gave when it ran, so that each node is judged by itself.
 */
export const replayWorkflow = async (
  recorded: { readonly run: NewRun; readonly steps: readonly StepRow[] },
  document: WorkflowRunDocument,
  ports: WorkflowPorts,
  clock: Clock,
): Promise<ReplayReport> => {
  const rows = new Map(recorded.steps.map((row) => [row.key, row]));
  const divergences = new Map<string, Divergence>();
  let equal = 0;
  const outcomeOf = (key: string): NodeOutcome | undefined => {
    const row = rows.get(key);
    // Rows of nodes hold outcomes.
    return row?.kind === 'node' ? (row.output as NodeOutcome) : undefined;
  };
  const nodeOf = (step: string): string => {
    const parts = step.split('/');
    const end = parts.findIndex((part) => part.startsWith('try['));
    return (end < 0 ? parts : parts.slice(0, end)).join('/');
  };
  const report = (step: string, kind: Divergence['kind'], before: string | null, now: string | null): void => {
    const node = nodeOf(step);
    if (!divergences.has(node)) divergences.set(node, { node, step, kind, recorded: before, now });
  };
  const drive: Drive = {
    journal: {
      start: async () => undefined,
      claim: async () => claim,
      commit: async () => ({ events: [] }),
      events: async () => [],
      budgets: async () => [],
    },
    clock,
    random: () => 0,
    signal: new AbortController().signal,
    onText: () => undefined,
    onEvents: () => undefined,
    claim: { runId: recorded.run.id, fence: 0, run: recorded.run, steps: recorded.steps, openIntents: [] },
    levels: [],
    finished: (key, inputHash) => {
      const row = rows.get(key);
      if (row === undefined && MAY_BE_ABSENT.test(key)) return undefined;
      if (row === undefined) report(key, 'missing', null, inputHash);
      else if (row.inputHash !== inputHash) report(key, 'input', row.inputHash, inputHash);
      else return row;
      throw new Halt();
    },
    commit: async () => undefined,
  };
  const { claim } = drive;
  const replay: Replay = {
    node: async (key, run) => {
      const before = outcomeOf(key);
      try {
        const now = await run();
        if (before === undefined) report(key, 'missing', null, now.output);
        else if (same(before, now)) equal += divergences.has(key) ? 0 : 1;
        else report(key, 'output', before.output, now.output);
      } catch (error) {
        if (!isHalt(error)) throw error;
      }
      // Where nothing was recorded there is nothing to go on with.
      if (before === undefined) throw new Halt();
      return before;
    },
  };
  const run = { ...openRun(drive, document, { signals: async () => [] }, ports, replay), stop: () => undefined };
  const output = await topScope(run).then(
    (text) => text,
    () => null,
  );
  return { equal, divergences: [...divergences.values()], output };
};
